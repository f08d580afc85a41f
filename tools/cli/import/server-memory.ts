import { entries, type Imported, notes, type Source, text, updates } from './imported.ts'

interface Line {
  type?: unknown
  name?: unknown
  entityType?: unknown
  observations?: unknown
  from?: unknown
  to?: unknown
  relationType?: unknown
}

/** The file of `@modelcontextprotocol/server-memory`: a line of JSON per entity and relation. An entity becomes an archived task. */
export function readServerMemory(content: string, file: string): Source {
  const tasks = new Map<string, Imported>()
  const relations: { from: string; to: string; type: string }[] = []
  const skipped: Source['skipped'] = []
  for (const [i, line] of content.split('\n').entries()) {
    if (line.trim() === '') continue
    const reason = take(line, tasks, relations)
    if (reason !== undefined) skipped.push({ file: `${file}:${i + 1}`, reason })
  }
  for (const { from, to, type } of relations) {
    const task = tasks.get(from)
    if (!task || !tasks.has(to))
      skipped.push({ file, reason: `the relation ${from} ${type} ${to} has an end that is not there` })
    else {
      if (from !== to) task.related.push(to)
      task.updates['done_steps'] = [
        ...((task.updates['done_steps'] as string[]) ?? []),
        `${type} ${to}`.slice(0, 2_000),
      ]
    }
  }
  return { kind: 'server-memory', tasks: [...tasks.values()], skipped }
}

function take(line: string, tasks: Map<string, Imported>, relations: { from: string; to: string; type: string }[]) {
  const value = parse(line)
  if (value?.type === 'entity' && typeof value.name === 'string' && value.name.trim() !== '') {
    const { name } = value
    const observed = (Array.isArray(value.observations) ? value.observations : []).map(String)
    const { lines, rest } = entries(observed)
    const goal = text(`${name} (${String(value.entityType ?? 'entity')})`)
    tasks.set(name, {
      ...{ key: name, title: name.trim().slice(0, 300), status: 'archived', related: [] },
      updates: updates({
        goal,
        constraints: [...new Set(lines)].slice(0, 500),
        notes: notes([...rest, ...lines.slice(500)]),
      }),
    })
    return undefined
  }
  if (value?.type === 'relation' && typeof value.from === 'string' && typeof value.to === 'string') {
    relations.push({ from: value.from, to: value.to, type: String(value.relationType ?? 'is related to') })
    return undefined
  }
  return 'is neither an entity nor a relation'
}

function parse(line: string): Line | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}
