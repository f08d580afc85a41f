import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { roleJsonSchema } from './role-definition.ts'
import { shippedRoles } from './roles.ts'

test('ten roles ship, each as its schema wants it, and the schema is the committed one', () => {
  expect([...shippedRoles().keys()].length).toBeGreaterThanOrEqual(10)
  const committed = readFileSync(path.join(import.meta.dirname, '../role.schema.json'), 'utf8')
  expect(JSON.parse(committed)).toEqual(JSON.parse(JSON.stringify(roleJsonSchema())))
})
