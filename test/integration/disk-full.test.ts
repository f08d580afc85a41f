import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'

const run = promisify(execFile)
const SCRIPT = fileURLToPath(new URL('fixtures/disk-full.ts', import.meta.url))
const MEGABYTES = 128

const disk = mkdtempSync(path.join(tmpdir(), 'story-portal-disk-'))
afterAll(() => rmSync(disk, { recursive: true, force: true }))

test('a full disk: coded, readiness false, nothing acknowledged lost, recovers by itself when there is space', async () => {
  // A mount of its own, which ends with the process; as an ordinary user inside a user namespace.
  const asRoot = process.getuid?.() === 0 ? [] : ['--map-root-user']
  const mount = `mount -t tmpfs -o size=${MEGABYTES}m tmpfs "$0" && exec "$1" "$2" "$0"`
  const { stdout } = await run('unshare', ['--mount', ...asRoot, 'sh', '-c', mount, disk, process.execPath, SCRIPT])
  const { table, wal, acknowledged, found, reopened } = JSON.parse(stdout)
  const full = { ok: false, reason: 'The disk of the database is full.' }
  expect(table).toEqual({ numbers: ['E0109', 'E0109', 'E0109'], ...full })
  // The log can not be written: PostgreSQL stops at once, so the first one's outcome is not known to anybody.
  expect(wal).toMatchObject(full)
  expect(wal.numbers.filter((number: string) => !['E0109', 'E0119', 'E0120'].includes(number))).toEqual([])
  expect(acknowledged).toBeGreaterThan(10)
  expect([acknowledged, acknowledged + 1]).toContain(found)
  expect(reopened).toBe(found)
})
