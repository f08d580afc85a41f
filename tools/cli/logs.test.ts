import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { followLines, formatLine, lastLines } from './logs.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'story-portal-logs-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const plain = (_style: unknown, text: string) => text
const entry = (second: number, fields: object = {}) =>
  `${JSON.stringify({ level: 'info', time: `2026-11-23T04:00:${String(second).padStart(2, '0')}.000Z`, name: 'platform', pid: 1, msg: `m${second}`, ...fields })}\n`

test('the lines of all processes by time, turned-over files included, the last ones first to stay', () => {
  writeFileSync(path.join(dir, 'a-1.log.1'), entry(1) + entry(4))
  writeFileSync(path.join(dir, 'a-1.log'), `${entry(5)}{"half a li`)
  writeFileSync(path.join(dir, 'b-2.log'), entry(2) + entry(3, { name: 'planning', level: 'error' }))
  expect(lastLines(dir, 10, {}).map(({ msg }) => msg)).toEqual(['m1', 'm2', 'm3', 'm4', 'm5'])
  expect(lastLines(dir, 2, {}).map(({ msg }) => msg)).toEqual(['m4', 'm5'])
  expect(lastLines(dir, 10, { server: 'planning' }).map(({ msg }) => msg)).toEqual(['m3'])
  expect(lastLines(dir, 10, { level: 'warn' }).map(({ msg }) => msg)).toEqual(['m3'])
  expect(lastLines(path.join(dir, 'none'), 10, {})).toEqual([])
})

test('a line of text that came from outside can not steer the terminal', () => {
  writeFileSync(
    path.join(dir, 'a-1.log'),
    entry(1, { msg: 'red \u001b[31m\u001b[2J and\r\nmore', correlation_id: 'c1' }),
  )
  const [line] = lastLines(dir, 1, { correlation: 'c1' })
  expect(line && formatLine(line, plain)).toBe('04:00:01.000 INFO  platform red  and  more correlation_id=c1')
})

test('following tells what is added, in new files and after a file was turned over', async () => {
  const file = path.join(dir, 'a-1.log')
  writeFileSync(file, entry(1))
  const stop = new AbortController()
  const lines = followLines(dir, {}, stop.signal)
  const next = async () => (await lines.next()).value?.msg
  const second = next()
  appendFileSync(file, entry(2))
  expect(await second).toBe('m2')
  renameSync(file, `${file}.1`)
  writeFileSync(file, entry(3))
  expect(await next()).toBe('m3')
  writeFileSync(path.join(dir, 'b-2.log'), entry(4))
  expect(await next()).toBe('m4')
  stop.abort()
  expect((await lines.next()).done).toBe(true)
})
