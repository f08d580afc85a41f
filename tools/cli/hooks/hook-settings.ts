import { isDeepStrictEqual } from 'node:util'
import { cliErrors } from '../errors.ts'
import { whereNotJson } from '../where-not-json.ts'
import { type HookGroup, runsOurHook } from './editor-hooks.ts'
import { append, memberOf, parseTree, remove } from './json-edit.ts'

/** One event in the settings: ours as installed, ours but edited by hand or of another folder, or not there. */
export type HookState = 'installed' | 'edited' | 'absent'

export type HookGroups = Record<string, HookGroup>

type Settings = { hooks?: Record<string, unknown[]> }

const MOST_BYTES = 1024 * 1024

/** The editor's settings as text that may be edited; throws E0294 or E0295 with the place when they are not what the editor reads. */
export function checkSettings(text: string, file: string): void {
  if (Buffer.byteLength(text) > MOST_BYTES)
    throw cliErrors.settingsShape({ place: 'it all', file, what: 'under 1 MiB' })
  const settings = parsed(text, file)
  if (!isObject(settings)) throw cliErrors.settingsShape({ place: 'it all', file, what: 'an object' })
  const { hooks = {} } = settings
  if (!isObject(hooks)) throw cliErrors.settingsShape({ place: 'hooks', file, what: 'an object' })
  for (const [event, groups] of Object.entries(hooks)) {
    if (!Array.isArray(groups)) throw cliErrors.settingsShape({ place: `hooks.${event}`, file, what: 'a list' })
  }
}

function parsed(text: string, file: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw cliErrors.settingsNotJson({ file, reason: whereNotJson(text, error as SyntaxError) })
  }
}

/** What checked settings hold of the hooks in `groups`, by event. */
export function hookStates(text: string, groups: HookGroups): Record<string, HookState> {
  return Object.fromEntries(
    Object.entries(groups).map(([event, group]) => {
      const found = groupsOf(text, event)
      const handlers = found.filter((one) => matcherOf(one) === group.matcher).flatMap(handlersOf)
      const installed = handlers.some((handler) => isDeepStrictEqual(handler, group.hooks[0]))
      const edited = found.flatMap(handlersOf).some((handler) => runsOurHook(String(handlerCommand(handler))))
      return [event, installed ? 'installed' : edited ? 'edited' : 'absent']
    }),
  )
}

/** Checked settings with these groups added, each after what its event has; all else stays as it is, byte for byte. */
export function addHooks(text: string, groups: HookGroups): string {
  return Object.entries(groups).reduce((before, [event, group]) => {
    const root = parseTree(before)
    const hooks = memberOf(root, 'hooks')
    if (hooks === undefined) return append(before, root, { [event]: [group] }, 'hooks')
    const list = memberOf(hooks, event)
    return list === undefined ? append(before, hooks, [group], event) : append(before, list, group)
  }, text)
}

/** Checked settings without what is exactly as in `groups`, and without the lists that this leaves empty. */
export function removeHooks(text: string, groups: HookGroups): string {
  return Object.entries(groups).reduce((before, [event, group]) => withoutGroup(before, event, group), text)
}

function withoutGroup(text: string, event: string, group: HookGroup): string {
  let left = text
  groupsOf(text, event)
    .map((found, index) => ({ found, index }))
    .toReversed()
    .forEach(({ found, index }) => {
      const place = handlersOf(found).findIndex((handler) => isDeepStrictEqual(handler, group.hooks[0]))
      if (place < 0 || matcherOf(found) !== group.matcher) return
      const list = listOf(left, event)
      const one = list?.items?.[index]
      const handlers = one && memberOf(one, 'hooks')
      if (!list || !handlers) return
      // Somebody may have added a handler of their own to the group, or a key.
      left = isDeepStrictEqual(found, group) ? remove(left, list, index) : remove(left, handlers, place)
    })
  return left === text ? text : withoutEmpty(left, event)
}

function withoutEmpty(text: string, event: string): string {
  const hooks = memberOf(parseTree(text), 'hooks')
  const list = hooks && memberOf(hooks, event)
  if (!hooks || list?.items?.length !== 0) return text
  const left = remove(text, hooks, hooks.members?.findLastIndex(({ name }) => name === event) ?? -1)
  const root = parseTree(left)
  if (memberOf(root, 'hooks')?.members?.length !== 0) return left
  return remove(left, root, root.members?.findLastIndex(({ name }) => name === 'hooks') ?? -1)
}

function listOf(text: string, event: string) {
  const hooks = memberOf(parseTree(text), 'hooks')
  return hooks && memberOf(hooks, event)
}

function groupsOf(text: string, event: string): unknown[] {
  const { hooks = {} } = JSON.parse(text) as Settings
  return Object.hasOwn(hooks, event) ? (hooks[event] ?? []) : []
}

function matcherOf(group: unknown): unknown {
  return isObject(group) ? group['matcher'] : undefined
}

function handlersOf(group: unknown): unknown[] {
  const handlers = isObject(group) ? group['hooks'] : undefined
  return Array.isArray(handlers) ? handlers : []
}

function handlerCommand(handler: unknown): unknown {
  return isObject(handler) ? handler['command'] : undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
