import { MAX_TASKS, type PlanDefinitionInput } from '@story-portal/shared/engine'
import type { Fault } from '@story-portal/shared/errors'

const WORDS = ['instructions', 'prompt', 'description', 'name', 'input']

/** Assistant tasks that tell whoever claims them nothing but their key: allowed, for a key may say it all, but rarely meant. */
export function vagueTasks({ tasks }: PlanDefinitionInput): Fault[] {
  if (!Array.isArray(tasks) || tasks.length > MAX_TASKS) return []
  return (tasks as unknown[]).flatMap((task, i) => {
    const fields = (task ?? {}) as Record<string, unknown>
    if (fields['kind'] !== 'assistant' || WORDS.some((name) => fields[name] !== undefined)) return []
    const message = 'is missing: whoever claims the task sees nothing but its key'
    return [
      { path: `tasks[${i}].instructions`, message, hint: 'Say in instructions what is to be done and what to answer.' },
    ]
  })
}
