import { afterAll, beforeAll, expect, test } from 'vitest'
import { type UnderTest, underTest } from './under-test.ts'

let it: UnderTest
beforeAll(async () => {
  it = await underTest()
})
afterAll(() => it.dispose())

test('the demo tells its story with real results, on a platform of its own that it takes away again', async () => {
  const { code, json, stderr } = await it.cli('demo', '--json')
  expect([code, stderr]).toEqual([0, ''])
  expect(json.plan.status).toBe('completed')
  const task = (key: string) => json.tasks.find((one: { key: string }) => one.key === key)
  expect(task('tests').attempts).toBe(3)
  expect(task('review').output.advice).toContain('Open ')
  expect(task('ranking').output).toHaveLength(5)
  expect(json.killed).toMatchObject({ pid: expect.any(Number) })
  expect(json.result).toEqual(task('report').output)
  expect(
    json.history.map(({ type, data }: { type: string; data: { record: { status: string } } }) => [
      type,
      data.record.status,
    ]),
  ).toEqual([
    ['goal.created', 'pending'],
    ['goal.updated', 'active'],
    ['goal.updated', 'completed'],
  ])
  expect((await it.cli('status', '--json')).code).toBe(3)
})
