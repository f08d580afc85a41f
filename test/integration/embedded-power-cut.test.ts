import {
  closeSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { DurableFS, type NodeFilesystem, type NodeStream } from '../../shared/db/embedded/durable-fs.ts'
import { emptySnapshot } from '../../shared/testing/embedded-snapshot.ts'

vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 })

interface Write {
  at: number
  bytes: Uint8Array
}

type Operation = (...args: never[]) => unknown

/**
 * A disk with a cache that forgets. Beside the real directory stands what would be left after a power cut: a write reaches it
 * only with the fsync of its file; names, as a journalling file system keeps them, at once. `cut` may let some unsynced writes
 * through, in any order, as real disks do.
 */
class ForgetfulDisk extends DurableFS {
  readonly #left: string
  readonly #root: string
  readonly #pending = new Map<string, Write[]>()
  #filesystem: NodeFilesystem | undefined
  syncs = 0

  constructor(root: string, left: string) {
    super(root)
    this.#root = root
    this.#left = left
  }

  protected override extend(filesystem: object): NodeFilesystem {
    const nodefs = super.extend(filesystem) as NodeFilesystem & {
      node_ops: Record<string, Operation>
      stream_ops: Record<string, Operation>
    }
    this.#filesystem = nodefs
    const on = (ops: Record<string, Operation>, name: string, also: (...args: never[]) => void) => {
      const original = ops[name]
      ops[name] = (...args: never[]) => {
        also(...args)
        return original?.(...args)
      }
    }
    const real = (node: unknown) => nodefs.realPath(node)
    on(
      nodefs.stream_ops,
      'write',
      (stream: NodeStream, buffer: Uint8Array, offset: number, length: number, at: number) => {
        const bytes = new Uint8Array(buffer.buffer as ArrayBuffer, offset, length).slice()
        this.#list(real(stream.node)).push({ at, bytes })
      },
    )
    on(nodefs.node_ops, 'mknod', (parent: unknown, name: string, mode: number) => {
      const target = this.#map(path.join(real(parent), name))
      if ((mode & 0o170000) === 0o040000) mkdirSync(target)
      else writeFileSync(target, '')
    })
    const rename = nodefs.node_ops['rename']
    // Afterwards: the original first removes what has the new name.
    nodefs.node_ops['rename'] = (node: never, parent: never, name: never) => {
      const from = real(node)
      const to = path.join(real(parent), name)
      rename?.(node, parent, name)
      renameSync(this.#map(from), this.#map(to))
      this.#pending.set(to, this.#list(from))
      this.#pending.delete(from)
    }
    on(nodefs.node_ops, 'unlink', (parent: unknown, name: string) => {
      const file = path.join(real(parent), name)
      this.#pending.delete(file)
      rmSync(this.#map(file), { force: true })
    })
    on(nodefs.node_ops, 'rmdir', (parent: unknown, name: string) => rmdirSync(this.#map(path.join(real(parent), name))))
    const resize = (node: unknown, size: number | undefined) => {
      if (size === undefined) return
      const file = real(node)
      truncateSync(this.#map(file), size)
      this.#pending.set(
        file,
        this.#list(file).filter((write) => write.at < size),
      )
    }
    on(nodefs.node_ops, 'setattr', (node: unknown, attributes: { size?: number }) => resize(node, attributes.size))
    on(nodefs.stream_ops, 'setattr', (stream: NodeStream, attributes: { size?: number }) =>
      resize(stream.node, attributes.size),
    )
    return nodefs
  }

  protected override sync(stream: NodeStream): void {
    this.syncs += 1
    const file = this.#filesystem?.realPath(stream.node) ?? ''
    this.#apply(file, this.#list(file))
    this.#pending.delete(file)
  }

  /** The power goes: each write that was not synced is kept with the given chance. */
  cut(chance: number, random: () => number): void {
    for (const [file, writes] of this.#pending)
      this.#apply(
        file,
        writes.filter(() => random() < chance),
      )
  }

  #list(file: string): Write[] {
    const list = this.#pending.get(file) ?? []
    this.#pending.set(file, list)
    return list
  }

  #map(file: string): string {
    return path.join(this.#left, path.relative(this.#root, file))
  }

  #apply(file: string, writes: Write[]): void {
    if (writes.length === 0) return
    const fd = openSync(this.#map(file), 'r+')
    for (const { at, bytes } of writes) writeSync(fd, bytes, 0, bytes.length, at)
    closeSync(fd)
  }
}

let base: string
beforeAll(async () => {
  base = mkdtempSync(path.join(tmpdir(), 'story-portal-power-'))
  const snapshot = new Blob([readFileSync(await emptySnapshot())])
  const fresh = await PGlite.create({ fs: new DurableFS(path.join(base, 'fresh')), loadDataDir: snapshot })
  await fresh.exec('create table log (n int primary key, text text); create table total (n int)')
  await fresh.exec('insert into total values (0)')
  await fresh.close()
})
afterAll(() => rmSync(base, { recursive: true, force: true }))

const withSync = [...PGlite.defaultStartParams.filter((parameter) => parameter !== '-F'), '-c', 'wal_sync_method=fsync']

/** Deterministic, so that a failure can be looked at. */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296
    return state / 4_294_967_296
  }
}

interface Cut {
  acknowledged: number
  found: number
  total: number
  syncs: number
}

async function writeAndCut(startParams: string[], chance: number, seed: number): Promise<Cut> {
  const live = path.join(base, `live-${seed}`)
  const left = path.join(base, `left-${seed}`)
  for (const copy of [live, left]) cpSync(path.join(base, 'fresh'), copy, { recursive: true })
  const disk = new ForgetfulDisk(live, left)
  const db = await PGlite.create({ fs: disk, startParams })
  const acknowledged = 150
  for (let n = 1; n <= acknowledged; n++) {
    await db.exec(`begin; insert into log values (${n}, repeat('${n} ', 300)); update total set n = n + 1; commit`)
    if (n % 60 === 0) await db.exec('checkpoint')
  }
  disk.cut(chance, numbers(seed))
  const after = await PGlite.create({ fs: new DurableFS(left) })
  const { rows } = await after.query<{ found: number; total: number }>(
    'select (select count(*)::int from log) as found, (select n from total) as total',
  )
  await after.close()
  await db.close()
  return { acknowledged, found: rows[0]?.found ?? -1, total: rows[0]?.total ?? -1, syncs: disk.syncs }
}

test('with fsync on, every acknowledged row survives a power cut, whatever else reached the disk', async () => {
  for (const [chance, seed] of [
    [0, 1],
    [0.5, 2],
    [1, 3],
  ] as const) {
    const { acknowledged, found, total, syncs } = await writeAndCut(withSync, chance, seed)
    expect({ found, total }).toEqual({ found: acknowledged, total: acknowledged })
    expect(syncs).toBeGreaterThanOrEqual(acknowledged)
  }
})

test("with PGlite's own start parameters the same cut loses acknowledged rows: the disk above does forget", async () => {
  const unusable = { acknowledged: 150, found: -1 }
  const { acknowledged, found } = await writeAndCut(PGlite.defaultStartParams, 0, 4).catch(() => unusable)
  expect(found).toBeLessThan(acknowledged)
})
