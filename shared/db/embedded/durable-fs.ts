import { fdatasyncSync, fsyncSync } from 'node:fs'
import { NodeFS } from '@electric-sql/pglite/nodefs'

/** An open file of emscripten's NODEFS. */
export interface NodeStream {
  nfd: number
  node: { mode: number }
}

/** The part of emscripten's NODEFS that is added to. */
export interface NodeFilesystem {
  realPath(node: unknown): string
  stream_ops: { fsync?: (stream: NodeStream) => number }
}

type Init = NodeFS['init']

const EIO = 29
const TYPE_MASK = 0o170000
const DIRECTORY = 0o040000

/**
 * PGlite's directory on disk, with the one call its emscripten file system leaves out: `fsync` there does nothing, and PGlite
 * switches PostgreSQL's own use of it off (-F). With this and `fsync=on` a COMMIT returns after the WAL is on the disk.
 */
export class DurableFS extends NodeFS {
  override async init(...args: Parameters<Init>): ReturnType<Init> {
    const { emscriptenOpts } = await super.init(...args)
    const preRun = emscriptenOpts.preRun ?? []
    return { emscriptenOpts: { ...emscriptenOpts, preRun: [...preRun, (mod) => this.extend(mod.FS)] } }
  }

  /** Before PostgreSQL starts. */
  protected extend(filesystem: object): NodeFilesystem {
    const { filesystems, ErrnoError } = filesystem as {
      filesystems: { NODEFS: NodeFilesystem }
      ErrnoError: new (errno: number) => Error
    }
    filesystems.NODEFS.stream_ops.fsync = (stream) => {
      try {
        this.sync(stream)
        return 0
      } catch {
        // PostgreSQL stops on this (data_sync_retry is off), and recovers from the WAL when the directory is opened again.
        throw new ErrnoError(EIO)
      }
    }
    return filesystems.NODEFS
  }

  /** Names in a directory are no data: for them only fsync counts. */
  protected sync(stream: NodeStream): void {
    if ((stream.node.mode & TYPE_MASK) === DIRECTORY) fsyncSync(stream.nfd)
    else fdatasyncSync(stream.nfd)
  }
}
