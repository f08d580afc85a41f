import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

test('each piece of code that does not parse is named with line and column, and none is run', async () => {
  const { call } = await open('tool-execution')
  const codes = [
    { code: 'while (true) {}' },
    { code: 'const a = 1\nreturn a +' },
    { code: 'const a: number = 1\nreturn a', language: 'typescript' },
    { code: 'const a: number = 1\nreturn a' },
    { code: 'const a: = 1', language: 'typescript' },
    { code: 'return 1 } async () => { return 2' },
  ]
  const { faults } = await call('check_code', { codes })
  expect(faults.map(({ index, line }: { index: number; line: number }) => [index, line])).toEqual([
    [1, 2],
    [3, 1],
    [4, 1],
    [5, 1],
  ])
  for (const { message, column } of faults) expect([message, column]).toEqual([expect.any(String), expect.any(Number)])
})

test('code that a parser would chew for minutes is a fault of its own, and the next check works', async () => {
  const { call } = await open('tool-execution')
  const slow = [
    { code: `/[${'\\p{L}'.repeat(50_000)}]/u` },
    { code: `return ${'<a>('.repeat(60)}`, language: 'typescript' },
  ]
  const { faults } = await call('check_code', { codes: slow })
  expect(faults).toEqual([
    { index: 0, line: 1, column: 1, message: expect.stringContaining('can not be parsed') },
    { index: 1, line: 1, column: 1, message: expect.stringContaining('can not be parsed') },
  ])
  expect(await call('check_code', { codes: [{ code: 'return 1' }] })).toEqual({ faults: [] })
})

test('no code and no list of codes are refused', async () => {
  const { callError } = await open('tool-execution')
  expect(await callError('check_code', {})).toMatchObject({ code: 'INVALID_INPUT' })
  expect(await callError('check_code', { codes: [] })).toMatchObject({ code: 'INVALID_INPUT' })
})
