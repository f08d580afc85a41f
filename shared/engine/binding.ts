import { planErrors } from './errors.ts'
import { lookUp, type Path, parsePath, printPath } from './path.ts'

// Bounded, so that a hostile text costs linear time.
const BINDING = /\{\{([^{}]{1,300})\}\}/g
const WHOLE = /^\{\{([^{}]{1,300})\}\}$/

/** One `{{...}}` of a template: where it stands, and its path unless it can't be read. */
export interface Binding {
  /** Inside the template, for example `.items[0]`; empty for the template itself. */
  at: string
  text: string
  path: Path | undefined
}

/** Every binding in a template (any JSON value), in order. */
export function findBindings(template: unknown, at = ''): Binding[] {
  if (typeof template === 'string') {
    return [...template.matchAll(BINDING)].map((m) => ({ at, text: m[0], path: parsePath((m[1] ?? '').trim()) }))
  }
  if (Array.isArray(template)) return template.flatMap((item, i) => findBindings(item, `${at}[${i}]`))
  if (template === null || typeof template !== 'object') return []
  return Object.entries(template).flatMap(([key, value]) => findBindings(value, `${at}.${key}`))
}

/**
 * The template with its bindings replaced: a text that is one binding takes the value with its JSON type, a binding inside
 * other text is printed into it. A path without a value throws unknownBinding; null is a value.
 */
export function bind(template: unknown, context: unknown): unknown {
  if (typeof template === 'string') return bindText(template, context)
  if (Array.isArray(template)) return template.map((item) => bind(item, context))
  if (template === null || typeof template !== 'object') return template
  const bound: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(template)) {
    // A member named __proto__ must stay data.
    Object.defineProperty(bound, key, {
      value: bind(value, context),
      enumerable: true,
      writable: true,
      configurable: true,
    })
  }
  return bound
}

function bindText(text: string, context: unknown): unknown {
  if (!text.includes('{{')) return text
  const whole = WHOLE.exec(text)
  if (whole) return boundValue(whole[1] ?? '', context)
  return text.replace(BINDING, (_, inner: string) => {
    const value = boundValue(inner, context)
    return typeof value === 'string' ? value : JSON.stringify(value)
  })
}

function boundValue(inner: string, context: unknown): unknown {
  const path = parsePath(inner.trim())
  const value = path && lookUp(context, path)
  if (value === undefined) throw planErrors.unknownBinding({ binding: `{{${path ? printPath(path) : inner}}}` })
  return value
}
