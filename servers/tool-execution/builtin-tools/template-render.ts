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
  const names = namesIn(template)
  const config = how === 'none' ? { escape: (value: unknown) => textOf(value) } : {}
  const missing = [...new Set(names)].filter((name) => name !== '.' && !Object.hasOwn(data, name.split('.')[0] ?? ''))
  return { text: Mustache.render(template, data, partials, config), missing }
}

function namesIn(template: string): string[] {
  try {
    return (Mustache.parse(template) as Token[]).flatMap(([type, name]) => ('#^&name'.includes(type) ? [name] : []))
  } catch {
    return refuse('template', 'has a tag that is not closed, or a section that does not end')
  }
}

function textOf(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
