import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type DirectoryLock, type LockHolder, takeLock } from './lock.ts'

vi.setConfig({ testTimeout: 120_000 })

let home: string
const children: ChildProcess[] = []

beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), 'story-portal-lock-'))
})
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  rmSync(home, { recursive: true, force: true })
})

const file = () => path.join(home, 'db.lock')
const content = () => JSON.parse(readFileSync(file(), 'utf8')) as LockHolder

function isLock(outcome: DirectoryLock | LockHolder): outcome is DirectoryLock {
  return 'release' in outcome
}

function taken(outcome: DirectoryLock | LockHolder): DirectoryLock {
  if (!isLock(outcome)) throw new Error(`held by ${outcome.pid}`)
  return outcome
}

/** A process that takes the lock on a signal and says whether it got it; it keeps it until it is killed. */
function starter(): { process: ChildProcess; ready: Promise<unknown>; go(): Promise<string> } {
  const lock = new URL('./lock.ts', import.meta.url).href
  const code = `
    const { takeLock } = await import(${JSON.stringify(lock)})
    process.stdin.once('data', () => {
      const outcome = takeLock(${JSON.stringify(home)})
      console.log('release' in outcome ? 'won' : 'held ' + outcome.pid)
    })
    console.log('ready')
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['pipe', 'pipe', 'inherit'] })
  children.push(child)
  const { stdin, stdout } = child
  return {
    process: child,
    ready: once(stdout, 'data'),
    async go() {
      stdin.write('go\n')
      const [answer] = await once(stdout, 'data')
      return String(answer).trim()
    },
  }
}

test('one holder; the second is told who it is; released it is free', () => {
  const first = taken(takeLock(home))
  const second = takeLock(home)
  expect(second).toMatchObject({ pid: process.pid, process_start: expect.stringMatching(/^\d+$/) })
  first.release()
  taken(takeLock(home)).release()
  expect(readdirSync(home)).toEqual([])
})

test('six starters at once: one wins, again and again, also over the lock of one that was killed', async () => {
  for (let round = 0; round < 3; round++) {
    const starters = Array.from({ length: 6 }, starter)
    await Promise.all(starters.map((one) => one.ready))
    const answers = await Promise.all(starters.map((one) => one.go()))
    const winner = starters[answers.indexOf('won')]
    expect(answers.filter((answer) => answer === 'won')).toHaveLength(1)
    expect(content().pid).toBe(winner?.process.pid)
    const possible = ['won', `held ${winner?.process.pid}`]
    expect(answers.filter((answer) => !possible.includes(answer))).toEqual([])
    // All die without releasing: the next round starts over a stale lock.
    for (const { process: child } of starters) {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
  }
  taken(takeLock(home)).release()
  expect(readdirSync(home)).toEqual([])
})

test('a process number that was given out again does not count as the holder', () => {
  const lock = taken(takeLock(home))
  const old = content()
  lock.release()
  writeFileSync(file(), JSON.stringify({ ...old, token: 'a', process_start: '1' }))
  taken(takeLock(home)).release()
  writeFileSync(file(), JSON.stringify({ ...old, token: 'b', boot_id: 'before the restart' }))
  taken(takeLock(home)).release()
  writeFileSync(file(), JSON.stringify(old))
  expect(isLock(takeLock(home))).toBe(false)
})

test('a take-over that was cut off is followed to its end', () => {
  const lock = taken(takeLock(home))
  const alive = content()
  lock.release()
  const dead = { ...alive, process_start: '1' }
  writeFileSync(file(), JSON.stringify({ ...dead, token: 'a' }))
  writeFileSync(`${file()}.over.a`, JSON.stringify({ ...dead, token: 'b' }))
  const next = taken(takeLock(home))
  expect(readdirSync(home)).toEqual(['db.lock'])
  next.release()
  // The last of the chain lives: it has won and is about to rename.
  writeFileSync(file(), JSON.stringify({ ...dead, token: 'c' }))
  writeFileSync(`${file()}.over.c`, JSON.stringify({ ...alive, token: 'd' }))
  expect(takeLock(home)).toMatchObject({ token: 'd' })
})

test('of another machine only the sign of life counts', () => {
  const lock = taken(takeLock(home))
  const other = { ...content(), token: 'far', host: 'another-machine', boot_id: 'another' }
  lock.release()
  writeFileSync(file(), JSON.stringify(other))
  expect(isLock(takeLock(home))).toBe(false)
  const longAgo = new Date(Date.now() - 60_000)
  utimesSync(file(), longAgo, longAgo)
  taken(takeLock(home)).release()
})

test('a process in another container of this machine is not looked up by its number here', () => {
  const lock = taken(takeLock(home))
  const mine = content()
  lock.release()
  // Same machine and host name; its process number is free here.
  const other = { ...mine, token: 'boxed', pid: 4_000_000, process_start: '1', pid_namespace: 'pid:[1]' }
  writeFileSync(file(), JSON.stringify(other))
  expect(takeLock(home)).toMatchObject({ token: 'boxed' })
  const longAgo = new Date(Date.now() - 60_000)
  utimesSync(file(), longAgo, longAgo)
  taken(takeLock(home)).release()
})

test('the sign of life is for the own lock only', () => {
  vi.useFakeTimers()
  try {
    const lock = taken(takeLock(home))
    const longAgo = new Date(Date.now() - 60_000)
    const age = () => Date.now() - statSync(file()).mtimeMs
    utimesSync(file(), longAgo, longAgo)
    vi.advanceTimersByTime(6_000)
    expect(age()).toBeLessThan(30_000)
    writeFileSync(file(), JSON.stringify({ ...content(), token: 'another' }))
    utimesSync(file(), longAgo, longAgo)
    vi.advanceTimersByTime(6_000)
    expect(age()).toBeGreaterThan(30_000)
    lock.release()
  } finally {
    vi.useRealTimers()
  }
})

test('a lock file that can not be read is nobody', () => {
  writeFileSync(file(), '\0\0\0')
  taken(takeLock(home)).release()
})
