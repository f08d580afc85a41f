import { type Fault, isStoryPortalError, safeText } from '../errors/index.ts'
import { findBindings } from './binding.ts'
import { KIND_FIELDS, KIND_ONLY_FIELDS, MAX_FAN_OUT, type TaskDefinition } from './definition.ts'
import { condition } from './references.ts'
import { versionRange } from './semver.ts'
import type { ValidateOptions } from './types.ts'

/** The faults that one task has by itself: fields of its kind, condition, tool, fan-out, compensation. */
export function taskFaults(task: TaskDefinition, path: string, options: ValidateOptions): Fault[] {
  return [
    ...kindFaults(task, path),
    ...conditionFaults(task, path),
    ...toolFaults(task, path, options),
    ...fanOutFaults(task, path),
    ...inputFaults(task, path),
    ...compensationFaults(task, path, options),
  ]
}

function kindFaults(task: TaskDefinition, path: string): Fault[] {
  const { needs, allows } = KIND_FIELDS[task.kind]
  const faults: Fault[] = Object.entries(task).flatMap(([field, value]) =>
    value === undefined || !KIND_ONLY_FIELDS.has(field) || allows.includes(field)
      ? []
      : [{ path: `${path}.${field}`, message: `is not a field of a ${task.kind} task`, hint: kindHint(field) }],
  )
  if (needs && task[needs] === undefined) {
    faults.push({ path: `${path}.${needs}`, message: `is required for a ${task.kind} task` })
  }
  return faults
}

function kindHint(field: string): string {
  const kinds = Object.entries(KIND_FIELDS).filter(([, { allows }]) => allows.includes(field))
  return `It belongs to tasks of kind ${kinds.map(([kind]) => kind).join(', ')}.`
}

function conditionFaults(task: TaskDefinition, path: string): Fault[] {
  try {
    condition(task.when)
    return []
  } catch (error) {
    if (!isStoryPortalError(error)) throw error
    return [{ path: `${path}.when`, message: error.message, hint: error.hint }]
  }
}

function toolFaults(task: Pick<TaskDefinition, 'tool' | 'version'>, path: string, options: ValidateOptions): Fault[] {
  if (task.tool === undefined || options.tools === undefined) return []
  const bad = rangeFault(task.version, path)
  if (bad) return [bad]
  const found = options.tools(task.tool, task.version)
  if (found === undefined) {
    const what = task.version === undefined ? '' : ` in version ${safeText(task.version, 40)}`
    const message = `there is no tool ${safeText(task.tool, 80)}${what}`
    return [
      {
        path: `${path}.tool`,
        message,
        hint: 'search_tools on service-hub finds tools by what they do; register_tool adds one.',
      },
    ]
  }
  if (found.status !== 'disabled') return []
  return [{ path: `${path}.tool`, message: `tool ${found.name} is disabled`, hint: 'Use another tool or version.' }]
}

function rangeFault(range: string | undefined, path: string): Fault | undefined {
  try {
    versionRange(range ?? '*')
    return undefined
  } catch (error) {
    if (!isStoryPortalError(error)) throw error
    return { path: `${path}.version`, message: error.message, hint: error.hint }
  }
}

function fanOutFaults(task: TaskDefinition, path: string): Fault[] {
  if (task.for_each === undefined) return []
  const faults: Fault[] = []
  if (Array.isArray(task.for_each) && task.for_each.length > MAX_FAN_OUT) {
    const message = `has ${task.for_each.length} items; at most ${MAX_FAN_OUT} are allowed`
    faults.push({ path: `${path}.for_each`, message, hint: 'Group the items into batches.' })
  }
  if (task.compensate) {
    faults.push({
      path: `${path}.compensate`,
      message: 'can not stand beside for_each',
      hint: 'Compensate in a task after it.',
    })
  }
  return faults
}

function inputFaults(task: TaskDefinition, path: string): Fault[] {
  const isObject = typeof task.input === 'object' && task.input !== null && !Array.isArray(task.input)
  if (task.kind !== 'tool' || task.input === undefined || isObject || typeof task.input === 'string') return []
  return [{ path: `${path}.input`, message: 'must be an object: the arguments of the tool' }]
}

function compensationFaults(task: TaskDefinition, path: string, options: ValidateOptions): Fault[] {
  const compensate = task.compensate
  if (!compensate) return []
  const at = `${path}.compensate`
  if (compensate === 'tool') return ownCompensationFaults(task, at, options)
  if ((compensate.tool === undefined) === (compensate.code === undefined)) {
    return [{ path: at, message: 'needs exactly one of tool and code' }]
  }
  const unbound = findBindings(compensate.input, 'input').filter(
    ({ path: p }) => !(p?.[0] === 'task' && ['input', 'output'].includes(String(p[1]))),
  )
  return [
    ...toolFaults(compensate, at, options),
    ...unbound.map((b) => ({
      path: `${at}.${b.at}`,
      message: `${safeText(b.text, 80)} is bound to nothing`,
      hint: 'A compensation may bind {{task.output...}} and {{task.input...}} of its own task.',
    })),
  ]
}

function ownCompensationFaults(
  { kind, tool, version }: TaskDefinition,
  path: string,
  options: ValidateOptions,
): Fault[] {
  const hint = 'get_registered_tool shows whether a tool has code that undoes a call; else give {tool or code, input}.'
  if (kind !== 'tool' || tool === undefined || tool.includes('.'))
    return [{ path, message: '"tool" is for tasks of registered tools only', hint }]
  const found = options.tools?.(tool, version)
  if (found === undefined || found.compensable === true) return []
  return [{ path, message: `${found.name} ${found.version} does not say how a call of it is undone`, hint }]
}
