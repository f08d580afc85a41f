import { entries, type Imported, notes, text, updates } from './imported.ts'

type Json = Record<string, unknown>

/** A file task-agents/<id>.json of the platform before this one. Throws an Error that says why it is none. */
export function readClaudeContext(content: string, name: string): Imported {
  const value = JSON.parse(content) as Json
  const { taskId = name, immediateContext = {} } = value
  const now = object(immediateContext)
  const blockers = entries(list(now['blockers']).map(said))
  const locked = list(value['lockedElements']).map((one) => ({
    ...named(one, 'element', ['element', 'path', 'name']),
    ...reasoned(one),
  }))
  return {
    key: String(taskId),
    title: (string(value['name']) ?? String(taskId)).slice(0, 300),
    status: value['status'] === 'completed' ? 'completed' : 'active',
    related: [],
    updates: updates({
      goal: text(string(now['workingOn']) ?? string(value['name']) ?? ''),
      next_action: text(string(now['nextStep']) ?? ''),
      blockers: blockers.lines,
      done_steps: entries([string(now['lastAction']) ?? '']).lines,
      key_files: list(value['keyFiles']).map((one) => named(one, 'path', ['path', 'file', 'name'])),
      decisions: list(value['technicalDecisions']).map(decision),
      locked_elements: locked,
      notes: notes([
        ...['currentPhase', 'iteration', 'score'].flatMap((part) =>
          value[part] === undefined ? [] : [`${part}: ${said(value[part])}`],
        ),
        string(value['resumePrompt']) ?? '',
        ...blockers.rest,
      ]),
    }),
  }
}

function decision(one: unknown): Json {
  return { ...named(one, 'decision', ['decision', 'title', 'name']), ...reasoned(one) }
}

function reasoned(one: unknown): Json {
  const given = object(one)
  const reason = string(given['reason']) ?? string(given['rationale'])
  return reason === undefined ? {} : { reason: reason.slice(0, 2_000) }
}

/** An entry under its own name, whether it was kept as a text or as an object. */
function named(one: unknown, as: string, names: readonly string[]): Json {
  const given = object(one)
  const found = names.map((name) => string(given[name])).find((value) => value !== undefined)
  return { [as]: (found ?? said(one)).slice(0, 2_000) }
}

function said(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? '')
}

function string(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined
}

function list(value: unknown): unknown[] {
  return (Array.isArray(value) ? value : []).slice(0, 500)
}

function object(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {}
}
