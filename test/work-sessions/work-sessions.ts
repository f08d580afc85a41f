import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'

type Call = (tool: string, args: object) => Promise<Record<string, unknown>>

interface Message {
  role: 'user' | 'assistant' | 'tool'
  text?: string
  call?: { tool: string; arguments: Record<string, unknown> }
}

/**
 * Work on this project, written down after it was done: the steps as they were, commands run again to record their answers (a few
 * measured figures are quoted), and what is saved on the way.
 */
export interface WorkSession {
  name: string
  title: string
  /** What the next assistant must know: each stands in the transcript, some only in what was saved. */
  facts: string[]
  messages: Message[]
}

export function workSessions(): WorkSession[] {
  return globSync('*.jsonl', { cwd: import.meta.dirname })
    .sort()
    .map((file) => {
      const [head = '', ...lines] = readFileSync(path.join(import.meta.dirname, file), 'utf8')
        .trim()
        .split('\n')
      const { title, facts } = JSON.parse(head) as Pick<WorkSession, 'title' | 'facts'>
      return { name: path.basename(file, '.jsonl'), title, facts, messages: lines.map((line) => JSON.parse(line)) }
    })
}

/** All that was said, called and answered, as a model would have to read it again. */
export function transcript({ messages }: WorkSession): string {
  return messages
    .map(({ role, text, call }) => `${role}: ${text ?? JSON.stringify({ tool: call?.tool, ...call?.arguments })}`)
    .join('\n\n')
}

/** Saves what was saved then, in a project of its own, and returns what the next session is given to go on with. */
export async function resume({ name, messages }: WorkSession, call: Call): Promise<string> {
  for (const { call: made } of messages)
    if (made?.tool === 'save_context_snapshot') await call(made.tool, { project: name, ...made.arguments })
  const { sessions } = await call('check_recovery', { project: name })
  const [first] = sessions as { resume_prompt: string }[]
  return first?.resume_prompt ?? ''
}
