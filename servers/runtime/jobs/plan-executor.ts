import { defineJob } from '@story-portal/shared/mcp'
import { Executor } from '../executor/executor.ts'

/** Carries out code and tool tasks of executing plans. */
export default defineJob({
  name: 'plan-executor',
  async start(host) {
    const executor = new Executor(host)
    await executor.start()
    return executor
  },
})
