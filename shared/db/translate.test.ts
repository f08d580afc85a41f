import { expect, test } from 'vitest'
import { errors, toErrorBody } from '../errors/index.ts'
import { isConnectionLost, isRetryable, translateDriverError } from './translate.ts'

function serverError(code: string, rest: Record<string, unknown> = {}): Error {
  return Object.assign(new Error('Key (email)=(secret@example.org) is a third party word'), { code, ...rest })
}

const body = (error: unknown) => toErrorBody(translateDriverError(error)).error

test.each([
  ['23505', 'CONFLICT', 'E0102'],
  ['23P01', 'CONFLICT', 'E0102'],
  ['23503', 'INVALID_INPUT', 'E0103'],
  ['23502', 'INVALID_INPUT', 'E0105'],
  ['23514', 'INVALID_INPUT', 'E0105'],
  ['22P02', 'INVALID_INPUT', 'E0105'],
  ['22021', 'INVALID_INPUT', 'E0105'],
  ['40001', 'UNAVAILABLE', 'E0106'],
  ['40P01', 'UNAVAILABLE', 'E0106'],
  ['55P03', 'UNAVAILABLE', 'E0106'],
  ['57014', 'UNAVAILABLE', 'E0107'],
  ['25P03', 'UNAVAILABLE', 'E0108'],
  ['53100', 'UNAVAILABLE', 'E0109'],
  ['53300', 'UNAVAILABLE', 'E0110'],
  ['28P01', 'UNAVAILABLE', 'E0111'],
  ['3D000', 'UNAVAILABLE', 'E0111'],
  ['42P01', 'UNAVAILABLE', 'E0112'],
  ['57P01', 'UNAVAILABLE', 'E0101'],
  ['08006', 'UNAVAILABLE', 'E0101'],
  ['ECONNREFUSED', 'UNAVAILABLE', 'E0101'],
  ['ENOSPC', 'UNAVAILABLE', 'E0109'],
])('%s becomes %s %s, without the words of the driver', (sqlstate, code, number) => {
  const translated = body(serverError(sqlstate, { table: 'goals', constraint: 'goals_pkey', column: 'title' }))
  expect(translated).toMatchObject({ code, number })
  expect(JSON.stringify(translated)).not.toContain('third party')
})

test('a syntax error or a refused right is our bug: INTERNAL, without its text', () => {
  expect(body(serverError('42601'))).toMatchObject({ code: 'INTERNAL' })
  expect(body(serverError('42501'))).toMatchObject({ code: 'INTERNAL' })
})

test('a row that others refer to is a conflict, not a bad reference', () => {
  const error = Object.assign(new Error('update or delete on table "goals" violates foreign key constraint "x"'), {
    code: '23503',
    table: 'plans',
  })
  expect(body(error)).toMatchObject({ code: 'CONFLICT', number: 'E0104' })
})

test('the state machine trigger names what may follow', () => {
  const detail = JSON.stringify({ kind: 'goal', from: 'completed', to: 'active', allowed: ['archived', 'deleted'] })
  expect(body(serverError('SP001', { detail }))).toMatchObject({
    number: 'E0013',
    message: 'A goal can not go from completed to active.',
    hint: 'Allowed from here: archived, deleted.',
  })
})

test('our own errors and errors of other origin pass unchanged', () => {
  const own = errors.notFound({ kind: 'goal', id: 'gol_x' })
  const bug = new TypeError('x is not a function')
  expect(translateDriverError(own)).toBe(own)
  expect(translateDriverError(bug)).toBe(bug)
  const file = Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT', syscall: 'open' })
  expect(translateDriverError(file)).toBe(file)
})

test('what the pool says about a lost connection counts as lost', () => {
  expect(isConnectionLost(new Error('Connection terminated unexpectedly'))).toBe(true)
  expect(isConnectionLost(new Error('timeout exceeded when trying to connect'))).toBe(true)
  expect(isConnectionLost(serverError('23505'))).toBe(false)
})

test('only serialization failures and deadlocks are run again', () => {
  expect(isRetryable(serverError('40001'))).toBe(true)
  expect(isRetryable(serverError('40P01'))).toBe(true)
  expect(isRetryable(serverError('23505'))).toBe(false)
})
