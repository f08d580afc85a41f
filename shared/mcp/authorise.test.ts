import { expect, test } from 'vitest'
import { type Caller, localUser } from '../auth/index.ts'
import { authorise, mayCall } from './authorise.ts'
import type { Effect } from './define.ts'

const EFFECTS: Effect[] = ['read', 'create', 'update', 'delete', 'execute']

function caller(roles: string[], scopes = ['*']): Caller {
  return { ...localUser({ surface: 'test', name: 'test' }), roles, scopes }
}

test('the whole matrix: roles by effect, anything else is denied', () => {
  const allowed = (role: string) => EFFECTS.filter((effect) => mayCall(caller([role]), 's', { name: 't', effect }))
  expect(
    Object.fromEntries(
      ['owner', 'admin', 'member', 'service', 'reader', 'guest', '', 'constructor', '__proto__'].map((role) => [
        role,
        allowed(role),
      ]),
    ),
  ).toEqual({
    owner: EFFECTS,
    admin: EFFECTS,
    member: EFFECTS,
    service: EFFECTS,
    reader: ['read'],
    guest: [],
    '': [],
    constructor: [],
    ['__proto__']: [],
  })
})

test.each([
  [['*'], true],
  [['planning:*'], true],
  [['planning:create'], true],
  [['planning:create_goal'], true],
  [['*:create'], true],
  [['planning:create_plan'], false],
  [['runtime:*'], false],
  [['planning:read'], false],
  [['planning'], false],
  [[], false],
])('scopes %j reach planning.create_goal: %s', (scopes, expected) => {
  expect(mayCall(caller(['owner'], scopes), 'planning', { name: 'create_goal', effect: 'create' })).toBe(expected)
})

test("a tool's own roles narrow, and never lock the owner out", () => {
  const tool = { name: 't', effect: 'read', roles: ['admin'] } as const
  expect(mayCall(caller(['member']), 's', tool)).toBe(false)
  expect(mayCall(caller(['admin']), 's', tool)).toBe(true)
  expect(mayCall(caller(['owner']), 's', tool)).toBe(true)
})

test('the refusal says who, what and which role or scope is missing', () => {
  expect(() => authorise(caller(['reader']), 'planning', { name: 'create_goal', effect: 'create' })).toThrow(
    'user:local may not call planning.create_goal: it needs one of the roles owner, admin, member, service.',
  )
  expect(() => authorise(caller(['owner'], []), 'planning', { name: 'create_goal', effect: 'create' })).toThrow(
    'it needs the scope planning:create_goal.',
  )
})
