import { MAX_TASKS, type PlanDefinitionInput } from '@story-portal/shared/engine'
import { errors, type Fault, isStoryPortalError, type StoryPortalError } from '@story-portal/shared/errors'
import type { OpenContext } from '@story-portal/shared/mcp'

export interface CodeCheck {
  faults: Fault[]
  /** Code whose syntax nobody looked at. */
  warnings: Fault[]
}

interface Snippet {
  code: string
  language?: 'javascript' | 'typescript'
}

const MAX_CODE = 200_000
/** One request, with room for its escapes below the smallest usual limit of a body. */
const BATCH = { codes: 50, length: 250_000 }
/** For all code of a plan; what is left then is named as not checked. */
const BUDGET_MS = 10_000

/**
 * Asks the sandbox whether the code of all tasks parses: a parser can be kept busy for minutes by a line made for it, so it
 * does not run in this process. A sandbox that is away does not keep a plan from being made; the answer then says so.
 */
export async function checkCode(ctx: OpenContext, definition: PlanDefinitionInput): Promise<CodeCheck> {
  const places = codePlaces(definition)
  const check: CodeCheck = { faults: [], warnings: [] }
  const end = Date.now() + BUDGET_MS
  for (const batch of batches([...places.values()])) {
    const left = end - Date.now()
    const outcome =
      left <= 0 ? errors.timedOut({ what: 'The check of all code', ms: BUDGET_MS }) : await ask(ctx, batch, left)
    if (isStoryPortalError(outcome)) {
      for (const path of batch.flatMap(({ paths }) => paths)) check.warnings.push(unchecked(path, outcome))
      continue
    }
    for (const { index, line, column, message } of outcome) {
      for (const path of batch[index]?.paths ?? []) check.faults.push(syntaxFault(path, { line, column, message }))
    }
  }
  return check
}

interface Place extends Snippet {
  paths: string[]
}

/** Every different piece of code, with all tasks that have it. */
function codePlaces({ tasks }: PlanDefinitionInput): Map<string, Place> {
  const places = new Map<string, Place>()
  const add = (holder: unknown, path: string) => {
    const { code, language } = (holder ?? {}) as { code?: unknown; language?: unknown }
    if (typeof code !== 'string' || code === '' || code.length > MAX_CODE) return
    const snippet: Snippet = { code, ...(language === 'typescript' ? { language } : {}) }
    const key = JSON.stringify(snippet)
    const known = places.get(key) ?? { ...snippet, paths: [] }
    known.paths.push(`${path}.code`)
    places.set(key, known)
  }
  if (!Array.isArray(tasks) || tasks.length > MAX_TASKS) return places
  for (const [i, task] of (tasks as unknown[]).entries()) {
    add(task, `tasks[${i}]`)
    add((task as { compensate?: unknown } | null)?.compensate, `tasks[${i}].compensate`)
  }
  return places
}

function* batches(places: readonly Place[]): Generator<Place[]> {
  let batch: Place[] = []
  let length = 0
  for (const place of places) {
    if (batch.length > 0 && (batch.length === BATCH.codes || length + place.code.length > BATCH.length)) {
      yield batch
      batch = []
      length = 0
    }
    batch.push(place)
    length += place.code.length
  }
  if (batch.length > 0) yield batch
}

async function ask(ctx: OpenContext, batch: readonly Place[], timeout_ms: number) {
  const codes = batch.map(({ paths: _, ...snippet }) => snippet)
  try {
    return (await ctx.call('tool-execution', 'check_code', { codes }, { timeout_ms })).faults
  } catch (error) {
    // A caller that gave up, or a mistake of ours, is no answer about the sandbox.
    if (ctx.signal.aborted || !isStoryPortalError(error) || error.code === 'INTERNAL') throw error
    return error
  }
}

function unchecked(path: string, { message }: StoryPortalError): Fault {
  return { path, message: `its syntax was not checked: ${message}`, hint: 'A mistake in it shows when the task runs.' }
}

function syntaxFault(
  path: string,
  { line, column, message }: { line: number; column: number; message: string },
): Fault {
  const hint = 'Code is the body of an async function: statements and "return", no import or export.'
  return { path, message: `does not parse at line ${line}, column ${column}: ${message}`, hint }
}
