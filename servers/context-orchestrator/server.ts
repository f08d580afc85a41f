import { defineServer } from '@story-portal/shared/mcp'

export default defineServer({
  title: 'Context orchestrator',
  layer: '-',
  port: 14,
  summary: "an assistant's task context across sessions: saved in versions that are never overwritten",
  instructions: [
    'Keeps what an assistant must know to go on with a task after its context is gone. When you begin, call start_session and',
    'check_recovery with its id: it gives back what was saved last, with a prompt to go on. Call save_context_snapshot after each',
    'decision or step; nothing has to be created before. Saves are partial: send what changed.',
    'Send expected_version when another may work on the same task: a save on an old version changes nothing and shows both sides.',
  ].join(' '),
})
