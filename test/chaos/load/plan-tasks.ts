import type { Row } from '../client.ts'

export const TASKS = 200
const FAN = 80
const CHAIN = 65
const REFUSED_ONCE = 40
const ITEMS = 10

/** Code that was killed in the middle may be run again; a tool of the platform must not need a second attempt. */
const CODE_RETRIES = { max_attempts: 20, backoff_ms: 50, max_backoff_ms: 500 }

/**
 * A plan of 200 tasks: one in front, a fan of tools and code, a join, a chain, tasks that are refused once and tried again, a
 * list, and one for an assistant. All but the pure code and the join have one effect at the receiver, under their own label.
 */
export function planTasks(name: string): Row[] {
  const fan = Array.from({ length: FAN }, (_, i) => delivering(name, `fan_${i}`, i % 2 === 0, ['root']))
  const refused = Array.from({ length: REFUSED_ONCE }, (_, i) => ({
    ...tool(name, `refused_${i}`, ['root'], { refuse_first: true }),
    retry: { max_attempts: 2, backoff_ms: 50 },
  }))
  const chain = Array.from({ length: CHAIN }, (_, i) => {
    const before = [i === 0 ? 'join' : `chain_${i - 1}`]
    return i % 3 === 2 ? pure(`chain_${i}`, before) : delivering(name, `chain_${i}`, i % 3 === 0, before)
  })
  const each = {
    ...code(name, 'each', ['root'], { label: `${name}/each/{{item}}` }),
    for_each: Array.from({ length: ITEMS }, (_, i) => i),
  }
  const judge = { key: 'judge', kind: 'assistant', depends_on: ['root'], instructions: 'Deliver your label.' }
  const last = [`chain_${CHAIN - 1}`, 'each', 'judge', ...keysOf(refused)]
  const first = tool(name, 'root', [])
  return [first, ...fan, ...refused, pure('join', keysOf(fan)), ...chain, each, judge, tool(name, 'last', last)]
}

/** The labels that the receiver must have met exactly once when the plan has ended. */
export function labelsOf(name: string): string[] {
  const own = planTasks(name).flatMap((task) => {
    const label = (task['input'] as Row | undefined)?.['label']
    return typeof label === 'string' && task['for_each'] === undefined ? [label] : []
  })
  return [...own, `${name}/judge`, ...Array.from({ length: ITEMS }, (_, i) => `${name}/each/${i}`)]
}

const keysOf = (tasks: readonly Row[]) => tasks.map((task) => task['key'])

function delivering(name: string, key: string, asTool: boolean, depends_on: unknown[]): Row {
  return asTool ? tool(name, key, depends_on) : code(name, key, depends_on)
}

function tool(name: string, key: string, depends_on: unknown[], more: Row = {}): Row {
  return { key, kind: 'tool', tool: 'outside.deliver', depends_on, input: { label: `${name}/${key}`, ...more } }
}

function code(name: string, key: string, depends_on: unknown[], input: Row = { label: `${name}/${key}` }): Row {
  return {
    ...{ key, kind: 'code', depends_on, input, retry: CODE_RETRIES },
    permissions: { tools: ['outside.deliver'] },
    code: 'await tools.outside.deliver({ label: input.label }); return input.label',
  }
}

function pure(key: string, depends_on: unknown[]): Row {
  return { key, kind: 'code', depends_on, code: 'return 6 * 7', retry: CODE_RETRIES }
}
