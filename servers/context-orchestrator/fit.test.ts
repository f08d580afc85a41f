import { checkProperty } from '@story-portal/shared/testing'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fit, type Need } from './fit.ts'

const NAMES = ['a', 'bb', 'ccc', 'goal', 'notes', 'naïve'] as const
type Name = (typeof NAMES)[number]
type Values = { [P in Name]?: string | unknown[] }

const text = fc.oneof(
  fc.string({ minLength: 1, maxLength: 30, unit: 'grapheme' }),
  fc.string({ minLength: 100, maxLength: 900 }),
)
const entry = fc.oneof(text, fc.record({ decision: text, evidence: fc.array(text, { maxLength: 3 }) }))
const value = fc.oneof(text, fc.array(entry, { maxLength: 12 }))
const keys = Object.fromEntries(NAMES.map((name) => [name, value])) as Record<Name, typeof value>
const values: fc.Arbitrary<Values> = fc.record(keys, { requiredKeys: [] })

/** Shares are 100 at most together, as a role's schema wants it. */
const needs: fc.Arbitrary<Need<Name>[]> = fc
  .record({
    order: fc.shuffledSubarray([...NAMES], { minLength: 1 }),
    shares: fc.array(fc.integer({ min: 0, max: 60 }), { minLength: NAMES.length, maxLength: NAMES.length }),
    first: fc.array(fc.boolean(), { minLength: NAMES.length, maxLength: NAMES.length }),
  })
  .map(({ order, shares, first }) => {
    let left = 100
    return order.map((part, i) => {
      const share = Math.min(shares[i] ?? 0, left)
      left -= share
      return { part, ...(share > 0 && { share }), ...(first[i] && { keep: 'first' as const }) }
    })
  })
const given = fc.record({ values, needs, maxTokens: fc.integer({ min: 1, max: 600 }) })
type Given = typeof given extends fc.Arbitrary<infer G> ? G : never

const bytes = (of: unknown) => Buffer.byteLength(JSON.stringify(of))
const entriesOf = (of: string | unknown[] | undefined) => (of === undefined ? [] : Array.isArray(of) ? of : [of])
/** The most that an entry or a name is counted with besides its own bytes. */
const FRAME = 2
const costOf = (part: Name, entries: readonly unknown[]) =>
  entries.reduce<number>((sum, one) => sum + bytes(one) + FRAME, bytes(part) + FRAME)
const shareOf = ({ share = 0 }: Need<Name>, maxTokens: number) => Math.floor(((maxTokens * 4 - 2) * share) / 100)

test('what is kept is never more than the budget, as JSON', () =>
  checkProperty(
    'fit within budget',
    given,
    ({ values: of, needs: wanted, maxTokens }) => {
      expect(bytes(fit(of, maxTokens, wanted).kept)).toBeLessThanOrEqual(Math.max(2, maxTokens * 4))
    },
    { runs: 2_000 },
  ))

test('what is kept and what is said to be cut are all of it, without a gap', () =>
  checkProperty(
    'fit accounts for everything',
    given,
    ({ values: of, needs: wanted, maxTokens }) => {
      const { kept, omitted } = fit(of, maxTokens, wanted)
      const cut = new Map(omitted.map(({ part, items }) => [part, items]))
      expect(Object.keys(kept)).toEqual(wanted.map(({ part }) => part).filter((part) => part in kept))
      for (const { part, keep } of wanted) {
        const [all, stays] = [entriesOf(of[part]), entriesOf(kept[part])]
        expect(cut.get(part) ?? 0).toBe(all.length - stays.length)
        expect(stays).toEqual(keep === 'first' ? all.slice(0, stays.length) : all.slice(all.length - stays.length))
        if (typeof of[part] === 'string' && stays.length > 0) expect(kept[part]).toBe(of[part])
      }
    },
    { runs: 2_000 },
  ))

/** Of what was cut, the entry that would have come next, and the room there is for it without anything later but its share. */
function nextEntries({ values: of, needs: wanted, maxTokens }: Given) {
  const { kept, omitted } = fit(of, maxTokens, wanted)
  return omitted.map(({ part }) => {
    const at = wanted.findIndex((need) => need.part === part)
    const [all, stays] = [entriesOf(of[part]), entriesOf(kept[part])]
    const next = wanted[at]?.keep === 'first' ? all[stays.length] : all[all.length - 1 - stays.length]
    const earlier = wanted.slice(0, at).filter((need) => need.part in kept)
    const spent = earlier.reduce((sum, need) => sum + costOf(need.part, entriesOf(kept[need.part])), 0)
    const later = wanted.slice(at + 1).map((need) => {
      const entries = entriesOf(of[need.part])
      return entries.length === 0 ? 0 : Math.min(costOf(need.part, entries), shareOf(need, maxTokens))
    })
    const room = maxTokens * 4 - 2 - spent - later.reduce((sum, share) => sum + share, 0)
    return { needed: costOf(part, [...stays, next]), room }
  })
}

test('nothing is cut for the sake of anything that is needed less, except for its share', () =>
  checkProperty(
    'fit by priority',
    given,
    (one) => {
      for (const { needed, room } of nextEntries(one)) expect(needed).toBeGreaterThan(room)
    },
    { runs: 2_000 },
  ))

test('what fits into its share stays whole, whatever is needed more', () =>
  checkProperty(
    'fit keeps shares',
    given,
    ({ values: of, needs: wanted, maxTokens }) => {
      const { kept } = fit(of, maxTokens, wanted)
      for (const need of wanted) {
        const entries = entriesOf(of[need.part])
        if (entries.length > 0 && costOf(need.part, entries) <= shareOf(need, maxTokens))
          expect(kept[need.part]).toEqual(of[need.part])
      }
    },
    { runs: 2_000 },
  ))

test('the same input gives the same output, in whatever order its parts were saved, and is not changed', () =>
  checkProperty(
    'fit is a function',
    given,
    ({ values: of, needs: wanted, maxTokens }) => {
      const before = JSON.stringify(of)
      const first = JSON.stringify(fit(of, maxTokens, wanted))
      const turned = Object.fromEntries(Object.entries(of).reverse()) as Values
      expect(JSON.stringify(fit(turned, maxTokens, wanted))).toBe(first)
      expect(JSON.stringify(of)).toBe(before)
    },
    { runs: 1_000 },
  ))
