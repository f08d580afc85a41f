import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { withStartLock } from './start-lock.ts'

let home: string
let file: string
beforeEach(() => {
  home = mkdtempSync(path.join(os.tmpdir(), 'story-portal-lock-'))
  file = path.join(home, 'run', 'start.lock')
  mkdirSync(path.dirname(file))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

test('those who come at once go one after the other', async () => {
  let inside = 0
  let most = 0
  const enter = () =>
    withStartLock(home, async () => {
      inside += 1
      most = Math.max(most, inside)
      await new Promise((resolve) => setTimeout(resolve, 20))
      inside -= 1
      return 'done'
    })
  expect(await Promise.all([enter(), enter(), enter()])).toEqual(['done', 'done', 'done'])
  expect(most).toBe(1)
  expect(existsSync(file)).toBe(false)
})

test('an error inside frees the lock', async () => {
  await expect(withStartLock(home, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(await withStartLock(home, async () => 1)).toBe(1)
})

test('the lock of a dead process is taken over', async () => {
  const child = spawn(process.execPath, ['-e', ''])
  await new Promise((resolve) => child.once('exit', resolve))
  writeFileSync(file, String(child.pid))
  expect(await withStartLock(home, async () => 'mine', { waitMs: 5_000 })).toBe('mine')
})

test('the lock of a living process holds, until that shows no sign of life for long', async () => {
  writeFileSync(file, String(process.pid))
  const waited: number[] = []
  const options = { waitMs: 250, onWait: (pid: number) => waited.push(pid) }
  await expect(withStartLock(home, async () => 'mine', options)).rejects.toMatchObject({ number: 'E0288' })
  expect(waited).toEqual([process.pid])
  const before = new Date(Date.now() - 60_000)
  utimesSync(file, before, before)
  expect(await withStartLock(home, async () => 'mine', options)).toBe('mine')
})
