import { existsSync } from 'node:fs'
import path from 'node:path'
import type { JsonSchema } from '@story-portal/shared/mcp'
import { describe, expect, test } from 'vitest'
import { rootDir } from '../../tools/launch.js'
import { bytesOf, type SuiteTool, tools } from './suite.ts'

/** What a name promises: the verb fixes the effect. Verbs not listed are the domain's own. */
const EFFECT_OF_VERB: Record<string, string> = {
  get: 'read',
  list: 'read',
  search: 'read',
  find: 'read',
  validate: 'read',
  explain: 'read',
  compare: 'read',
  verify: 'read',
  create: 'create',
  register: 'create',
  update: 'update',
  set: 'update',
  delete: 'delete',
  revoke: 'delete',
}

function fileOf({ server, definition }: SuiteTool): string {
  return path.join(rootDir, 'servers', server.name, 'tools', definition.name.replaceAll('_', '-'))
}

function properties(schema: JsonSchema): [string, JsonSchema][] {
  return Object.entries((schema['properties'] ?? {}) as Record<string, JsonSchema>)
}

describe.each(tools.map((tool) => [tool.title, tool] as const))('%s', (_title, tool) => {
  const { definition } = tool

  test('is named as clients can take it, and its verb says what it does', () => {
    expect(definition.name).toMatch(/^[a-z][a-z0-9_]{1,40}$/)
    const [verb = ''] = definition.name.split('_')
    const effect = tool.server.tool(definition.name)?.effect
    if (Object.hasOwn(EFFECT_OF_VERB, verb)) expect(effect).toBe(EFFECT_OF_VERB[verb])
  })

  test('says in plain sentences what it is for', () => {
    expect(definition.description.length).toBeLessThanOrEqual(400)
    expect(definition.description).toMatch(/^[A-Z].*\.$/)
    expect(definition.description).not.toMatch(/[`*#]|\]\(/)
  })

  test('has hints that fit its effect', () => {
    const effect = tool.server.tool(definition.name)?.effect
    const { annotations } = definition
    expect(Object.values(annotations).every((hint) => typeof hint === 'boolean')).toBe(true)
    expect(annotations.readOnlyHint).toBe(effect === 'read')
    if (effect === 'delete') expect(annotations.destructiveHint).toBe(true)
    if (effect === 'read') expect(annotations).toMatchObject({ destructiveHint: false, idempotentHint: true })
  })

  test('takes a flat object of described and bounded fields, and nothing else', () => {
    expect(definition.inputSchema).toMatchObject({ type: 'object', additionalProperties: false })
    for (const union of ['anyOf', 'oneOf', 'allOf']) expect(definition.inputSchema).not.toHaveProperty(union)
    const fields = properties(definition.inputSchema)
    expect(fields.filter(([, schema]) => !described(schema)).map(([name]) => name)).toEqual([])
    expect(fields.filter(([, schema]) => !bounded(schema)).map(([name]) => name)).toEqual([])
  })

  test('promises a result, open to new fields', () => {
    expect(definition.outputSchema.type).toBe('object')
    expect(JSON.stringify(definition.outputSchema)).not.toContain('"additionalProperties":false')
    const names = properties(definition.outputSchema).map(([name]) => name)
    if (definition.name.startsWith('list_') && names.includes('next_cursor')) expect(names).toContain('items')
  })

  test('is at most 2 KB as sent', () => {
    expect(bytesOf(definition)).toBeLessThanOrEqual(2_048)
  })

  test('has its test beside it', () => {
    expect(existsSync(`${fileOf(tool)}.test.ts`), `${fileOf(tool)}.test.ts`).toBe(true)
  })
})

/** A closed list of values says what it is; every byte of a definition is paid for by each client. */
function described(schema: JsonSchema): boolean {
  if ('enum' in schema) return true
  return typeof schema['description'] === 'string' && schema['description'] !== ''
}

/** A string, number or list without a limit is an invitation; objects are limited by the size of the request. */
function bounded(schema: JsonSchema): boolean {
  const choices = schema['anyOf'] as JsonSchema[] | undefined
  if (choices) return choices.every(bounded)
  if ('enum' in schema || 'const' in schema || 'format' in schema) return true
  switch (schema['type']) {
    case 'string':
      return 'maxLength' in schema || 'pattern' in schema
    // Integers end where JSON loses them; their definition says so by being integers.
    case 'number':
      return 'maximum' in schema || 'exclusiveMaximum' in schema
    case 'array':
      return 'maxItems' in schema
    default:
      return true
  }
}
