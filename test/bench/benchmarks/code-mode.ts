import { localUser } from '@story-portal/shared/auth'
import { memoryServices } from '@story-portal/shared/cache'
import { executeCall } from '@story-portal/shared/engine'
import { createJobs } from '@story-portal/shared/jobs'
import { createHost, loadServer } from '@story-portal/shared/mcp'
import { silentLog, testConfig } from '../../../shared/testing/test-config.ts'
import { benchDatabase } from '../bench-database.ts'
import type { Benchmark, BenchmarkContext, Measurement } from '../benchmark.ts'
import { inTurn } from '../median.ts'

const CALLS = 20
const RUNS = 25
const ARGUMENTS = { kind: 'goal', limit: 1 }

/** Five at a time, then the rest one after the other. */
const SCRIPT = `
  const read = () => tools.data.list_records(${JSON.stringify(ARGUMENTS)})
  await Promise.all([read(), read(), read(), read(), read()])
  for (let i = 5; i < ${CALLS}; i++) await read()
  return 'done'`

/** CPU of the process that serves (the database and the sandbox are others) for a script of twenty calls, and for the calls alone. */
const codeMode: Benchmark = {
  async run(context): Promise<Measurement[]> {
    const { script, calls } = await sides(context)
    const ms = await inTurn(context.rounds, { script: () => cpu(script), calls: () => cpu(calls) })
    const row = { unit: 'ms CPU', better: 'lower' } as const
    return [
      {
        job: `script of ${CALLS} tool calls`,
        value: ms.script,
        ...row,
        peer: { name: `the ${CALLS} journaled calls alone`, value: ms.calls },
        note: 'one tools/call of the client',
      },
      { job: `script of ${CALLS} tool calls, beyond the calls`, value: ms.script - ms.calls, ...row, target: 5 },
    ]
  },
}

export default codeMode

async function sides(context: BenchmarkContext) {
  const { db, scope } = await benchDatabase(context, 'postgres')
  const names = ['service-hub', 'tool-execution', 'data']
  const load = (name: string) => loadServer(new URL(`../../../servers/${name}/`, import.meta.url))
  const host = await createHost({
    config: testConfig(),
    servers: await Promise.all(names.map(load)),
    db,
    services: await memoryServices(silentLog),
    jobs: await createJobs({ db, log: silentLog }),
    log: silentLog,
  })
  context.defer(() => host.close())
  const caller = { ...localUser({ surface: 'internal', name: 'bench' }), tenant_id: scope.tenant_id }
  let made = 0
  const journaled = () =>
    executeCall(db, {
      ...{ scope, caller, key: `bench/code-mode/${made++}`, kind: 'server_tool', tool: 'data.list_records' },
      arguments: ARGUMENTS,
      effect: 'journaled',
      dispatch: async () => ({ output: await host.call('data', 'list_records', ARGUMENTS, { caller }) }),
    })
  return {
    script: () => host.call('service-hub', 'run_script', { code: SCRIPT }, { caller }),
    async calls() {
      await Promise.all(Array.from({ length: 5 }, journaled))
      for (let i = 5; i < CALLS; i++) await journaled()
    },
  }
}

/** Milliseconds of user and system time of this process per run. */
async function cpu(run: () => Promise<unknown>): Promise<number> {
  await run()
  const before = process.cpuUsage()
  for (let i = 0; i < RUNS; i++) await run()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000 / RUNS
}
