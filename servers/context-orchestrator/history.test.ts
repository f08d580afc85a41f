import { canonicalJson, sha256 } from '@story-portal/shared/data'
import { type Opened, open } from '@story-portal/shared/testing'
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import type { Checkpoint, Updates } from './checkpoint.ts'
import { merge } from './merge.ts'

// Whatever several assistants do to their tasks, every version that was acknowledged is there as it was, and none is there twice.

const SEED = Number(process.env['PROPERTY_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const RUNS = 25
const TASKS = 3

let tools: Opened
beforeAll(async () => {
  tools = await open('context-orchestrator')
})

/** A task as it should be: the text of every version, and versions that were marked. */
interface Model {
  task_id: string
  versions: string[]
  marks: { checkpoint_id: string; version: number }[]
}

const line = fc
  .string({ minLength: 1, maxLength: 10, unit: 'binary' })
  .filter((text) => !/[\0\ud800-\udfff]/.test(text))
const lines = fc.option(fc.uniqueArray(line, { maxLength: 3 }))
const updates = fc.record(
  { goal: fc.option(line), constraints: lines, pending_steps: lines, done_steps: lines, notes: fc.option(line) },
  { requiredKeys: [] },
) as fc.Arbitrary<Updates>
const task = fc.nat(TASKS - 1)
const back = fc.nat(5)

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('save' as const), task, updates, behind: fc.nat(3) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('switch' as const), task, updates: fc.option(updates), to: task }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('mark' as const), task, back }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('rollback' as const), task, back, byMark: fc.boolean() }) },
)
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

const bodyOf = (model: Model, version = model.versions.length): Checkpoint =>
  version === 0 ? {} : (JSON.parse(model.versions[version - 1] ?? '{}') as Checkpoint)

/** What a save makes of the model; no change is no version, except that every task has a first one. */
function saved(model: Model, change: Updates): void {
  const text = canonicalJson(merge(bodyOf(model), change))
  if (text !== model.versions.at(-1)) model.versions.push(text)
}

type Of<K extends Step['kind']> = Extract<Step, { kind: K }>

/** A save on what somebody knew some versions ago saves nothing, unless that is the newest. */
async function saveStep(model: Model, { updates: change, behind }: Of<'save'>): Promise<void> {
  const { task_id, versions } = model
  const head = versions.length
  const expected_version = Math.max(0, head - behind)
  const answer = await tools.call('save_context_snapshot', { task_id, updates: change, expected_version })
  if (expected_version < head) expect(answer).toMatchObject({ version: head, changed: [], conflict: { yours: change } })
  else saved(model, change)
  expect(answer.version).toBe(versions.length)
}

async function switchStep(model: Model, next: Model, { updates: change }: Of<'switch'>): Promise<void> {
  await tools.call('switch_task', { task_id: model.task_id })
  const answer = await tools.call('switch_task', { task_id: next.task_id, ...(change ? { updates: change } : {}) })
  if (change) saved(model, change)
  const left = { task_id: model.task_id, version: model.versions.length }
  expect(answer).toMatchObject({ left, task: { task_id: next.task_id, version: next.versions.length } })
}

async function markStep({ task_id, versions, marks }: Model, { back: by }: Of<'mark'>): Promise<void> {
  const version = Math.max(1, versions.length - by)
  const { checkpoint } = await tools.call('create_checkpoint', { task_id, label: `at ${version}`, version })
  marks.push({ checkpoint_id: checkpoint.checkpoint_id, version })
}

async function rollbackStep({ task_id, versions, marks }: Model, { back: by, byMark }: Of<'rollback'>): Promise<void> {
  const mark = byMark ? marks.at(-1) : undefined
  const version = mark?.version ?? Math.max(1, versions.length - by)
  const target = mark ? { type: 'checkpoint', checkpoint_id: mark.checkpoint_id } : { type: 'version', version }
  const answer = await tools.call('rollback_to', { task_id, target })
  versions.push(versions[version - 1] ?? '')
  expect(answer).toMatchObject({ version: versions.length, restored_from: version })
}

async function carryOut(models: readonly Model[], one: Step): Promise<void> {
  const model = models[one.task] as Model
  if (one.kind === 'save') await saveStep(model, one)
  else if (one.kind === 'switch') await switchStep(model, models[one.to] as Model, one)
  else if (one.kind === 'mark') await markStep(model, one)
  else await rollbackStep(model, one)
}

async function keptVersions(task_id: string) {
  const scope = { kind: 'tenant', tenant_id: tools.tenant, subject: 'user:local' } as const
  return tools.db.tx(scope, (tx) =>
    tx
      .selectFrom('core.context_versions')
      .select(['number', 'body', 'sha256'])
      .where('task_context_id', '=', task_id)
      .orderBy('number')
      .execute(),
  )
}

test('any sequence of saves, late saves, switches, checkpoints and rollbacks keeps every version byte for byte', async () => {
  let round = 0
  let made = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
      const project = `p${++round}`
      const models: Model[] = []
      for (let i = 0; i < TASKS; i++) {
        const { task_id } = await tools.call('create_task_context', { project, title: `task ${i}` })
        models.push({ task_id, versions: [canonicalJson({})], marks: [] })
      }
      for (const one of steps) await carryOut(models, one)
      for (const { task_id, versions } of models) {
        made += versions.length
        const wanted = versions.map((body, i) => ({ number: i + 1, body, sha256: sha256(body) }))
        expect(await keptVersions(task_id)).toEqual(wanted)
        for (const [i, body] of versions.entries()) {
          const { task: shown } = await tools.call('get_unified_context', {
            task_id,
            version: i + 1,
            max_tokens: 100_000,
          })
          expect(canonicalJson(shown.checkpoint)).toBe(body)
        }
      }
    }),
    { numRuns: RUNS, seed: SEED },
  )
  process.stderr.write(`property "history": ${RUNS} runs, ${made} versions, PROPERTY_SEED=${SEED}\n`)
}, 180_000)
