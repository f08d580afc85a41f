import { closeSync, fdatasyncSync, fsyncSync, openSync } from 'node:fs'
import { NodeFS } from '@electric-sql/pglite/nodefs'

type Init = NodeFS['init']

interface NodeStream {
  nfd?: number
  node: unknown
}

interface NodeFilesystem {
  realPath(node: unknown): string
  stream_ops: { fsync?: (stream: NodeStream) => number }
}

const EIO = 29

/**
 * PGlite's directory on disk, with the one call its emscripten file system leaves out: `fsync` there does nothing, and PGlite
 * switches PostgreSQL's own use of it off (-F). With this and `fsync=on` a COMMIT returns after the WAL is on the disk.
 */
export class DurableFS extends NodeFS {
  override async init(...args: Parameters<Init>): ReturnType<Init> {
    const { emscriptenOpts } = await super.init(...args)
    const preRun = emscriptenOpts.preRun ?? []
    return { emscriptenOpts: { ...emscriptenOpts, preRun: [...preRun, (mod) => addSync(mod.FS)] } }
  }
}

function addSync(filesystem: object): void {
  const { filesystems, ErrnoError } = filesystem as {
    filesystems: { NODEFS: NodeFilesystem }
    ErrnoError: new (errno: number) => Error
  }
  const nodefs = filesystems.NODEFS
  nodefs.stream_ops.fsync = (stream) => {
    try {
      if (stream.nfd === undefined) syncDirectory(nodefs.realPath(stream.node))
      else fdatasyncSync(stream.nfd)
      return 0
    } catch {
      // PostgreSQL stops on this (data_sync_retry is off), and recovers from the WAL when the directory is opened again.
      throw new ErrnoError(EIO)
    }
  }
}

function syncDirectory(dir: string): void {
  if (process.platform === 'win32') return
  const fd = openSync(dir, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
