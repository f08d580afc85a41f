import { createRequire } from 'node:module'
import { resume, transcript, workSessions } from '../../work-sessions/work-sessions.ts'
import type { Benchmark, Measurement } from '../benchmark.ts'
import { contextServer } from '../context-server.ts'

/** What it costs to go on with work: the prompt of check_recovery beside reading the transcript again, in tokens of o200k_base. */
const resumeCost: Benchmark = {
  async run(context): Promise<Measurement[]> {
    const { countTokens } = createRequire(import.meta.url)('gpt-tokenizer') as { countTokens(text: string): number }
    const rows: Measurement[] = []
    const { call } = await contextServer(context, 'embedded')
    for (const session of workSessions()) {
      const prompt = await resume(session, call)
      const known = session.facts.filter((fact) => prompt.includes(fact)).length
      context.log(`${session.name}: ${session.messages.length} messages`)
      rows.push({
        ...{
          job: `resuming: ${session.title}`,
          value: countTokens(prompt),
          unit: 'tokens',
          better: 'lower',
          target: 2_000,
        },
        peer: { name: 'reading the transcript', value: countTokens(transcript(session)) },
        note: `${known} of ${session.facts.length} facts in it`,
      })
    }
    return rows
  },
}

export default resumeCost
