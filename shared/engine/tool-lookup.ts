import { sql } from 'kysely'
import type { Tx } from '../db/index.ts'
import { newestMatching } from './semver.ts'
import type { CallEffect, PlanTool, ToolLookup } from './types.ts'

/** Every registered tool that a plan may name, read in one query; versions are picked when asked for. */
export async function registeredTools(tx: Tx, definition: unknown): Promise<ToolLookup> {
  const names = toolNames(definition)
  if (names.length === 0) return () => undefined
  const { rows } = await sql<Row>`
    select name, semver, effect, status, source ? 'compensate' as compensable from core.tools
    where name = any(${names}::text[]) and deleted_at is null`.execute(tx)
  const byName = Map.groupBy(rows, ({ name }) => name)
  return (name, version): PlanTool | undefined => {
    const versions = byName.get(name) ?? []
    const usable = versions.filter(({ status }) => status !== 'disabled')
    const pool = usable.length > 0 ? usable : versions
    const picked = newestMatching(
      pool.map(({ semver }) => semver),
      version,
    )
    const found = pool.find(({ semver }) => semver === picked)
    if (found === undefined) return undefined
    const { semver, ...tool } = found
    return { ...tool, version: semver }
  }
}

interface Row {
  name: string
  semver: string
  effect: CallEffect
  status: string
  compensable: boolean
}

/** Of anything that may or may not be a plan: the definition is checked later. */
function toolNames(definition: unknown): string[] {
  const tasks = (definition as { tasks?: unknown } | null)?.tasks
  if (!Array.isArray(tasks)) return []
  const named = tasks
    .slice(0, 10_000)
    .flatMap((task: { tool?: unknown; compensate?: { tool?: unknown } | string } | null) => {
      const { compensate } = task ?? {}
      return [task?.tool, typeof compensate === 'object' ? compensate?.tool : undefined]
    })
  return [...new Set(named.filter((name) => typeof name === 'string'))]
}
