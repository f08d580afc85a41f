import Mustache from 'mustache'
import { type BuiltinTool, refuse } from '../builtins/builtin-tool.ts'

export const tool: BuiltinTool = {
  version: '1.0.0',
  title: 'Render a template',
  description:
    'Renders a Mustache template with data: {{name}}, sections {{#items}}...{{/items}}, {{^items}}, partials {{> name}}. Nothing in a template is code.',
  input_schema: {
    type: 'object',
    properties: {
      template: { type: 'string' },
      data: { type: 'object' },
      partials: { type: 'object', additionalProperties: { type: 'string' } },
      escape: { enum: ['none', 'html'], description: 'What {{name}} does to the value; none' },
    },
    required: ['template'],
    additionalProperties: false,
  },
  output_schema: {
    type: 'object',
    properties: {
      text: { type: 'string' },
      missing: { type: 'array', items: { type: 'string' }, description: 'Names at the top level that data lacks' },
    },
    required: ['text', 'missing'],
  },
}

interface Input {
  template: string
  data?: Record<string, unknown>
  partials?: Record<string, string>
  escape?: 'none' | 'html'
}

type Token = [type: string, name: string, ...rest: unknown[]]

export default function templateRender({ template, data = {}, partials = {}, escape: how = 'none' }: Input) {
  const names = namesIn(template, 'template')
  for (const [name, partial] of Object.entries(partials)) namesIn(partial, `partials.${name}`)
  const missing = [...new Set(names)].filter((name) => name !== '.' && !Object.hasOwn(data, name.split('.')[0] ?? ''))
  const shown = (value: unknown) => (how === 'none' ? textOf(value) : Mustache.escape(textOf(value)))
  const partialOf = (name: string) => (Object.hasOwn(partials, name) ? partials[name] : undefined)
  try {
    return { text: new JsonWriter().render(template, new OwnFields(data), partialOf, { escape: shown }), missing }
  } catch {
    return refuse('partials', 'include one another without end')
  }
}

function namesIn(template: string, path: string): string[] {
  try {
    return (Mustache.parse(template) as Token[]).flatMap(([type, name]) => ('#^&name'.includes(type) ? [name] : []))
  } catch {
    return refuse(path, 'has a tag that is not closed, or a section that does not end')
  }
}

/** Looks only at what the data has: the library would find, and call, what every object of JavaScript has. */
class OwnFields extends Mustache.Context {
  override push(view: unknown): Mustache.Context {
    return new OwnFields(view, this)
  }

  override lookup(name: string): unknown {
    if (name === '.') return this.view
    const path = name.split('.')
    for (let context: Mustache.Context | undefined = this; context !== undefined; context = context.parent) {
      const holder = path.slice(0, -1).reduce<unknown>(fieldOf, context.view)
      const isHolder = holder !== undefined && holder !== null && (path.length > 1 || typeof holder === 'object')
      if (isHolder && Object.hasOwn(Object(holder), path.at(-1) ?? '')) return fieldOf(holder, path.at(-1) ?? '')
    }
    return undefined
  }
}

function fieldOf(value: unknown, name: string): unknown {
  if (value === undefined || value === null || !Object.hasOwn(Object(value), name)) return undefined
  return (value as Record<string, unknown>)[name]
}

/** {{{name}}} shows objects as {{name}} does. */
class JsonWriter extends Mustache.Writer {
  override unescapedValue(token: string[], context: Mustache.Context): string {
    const value: unknown = context.lookup(token[1] ?? '')
    return value === undefined || value === null ? '' : textOf(value)
  }
}

function textOf(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
