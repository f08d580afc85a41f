import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { PGlite, type PGliteOptions } from '@electric-sql/pglite'
import { vector } from '@electric-sql/pglite-pgvector'
import { DurableFS } from './durable-fs.ts'
import { syncDirectory, syncTree } from './files.ts'
import type { FromWorker, ToWorker, WorkerOptions } from './protocol.ts'

const options = workerData as WorkerOptions
const port = parentPort
if (!port) throw new Error('worker.ts runs in a worker thread only')
const send = (message: FromWorker, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer)

/** PGlite's own start parameters with fsync as asked; its file system has fsync only, not fdatasync. */
function startParams(): string[] {
  const [single = '--single', ...rest] = PGlite.defaultStartParams
  const others = rest.filter((parameter) => parameter !== '-F')
  return options.fsync ? [single, ...others, '-c', 'wal_sync_method=fsync'] : [single, '-F', ...others]
}

function settings(dataDir: string | undefined): PGliteOptions {
  return {
    ...(dataDir === undefined ? { dataDir: 'memory://' } : { fs: new DurableFS(dataDir) }),
    startParams: startParams(),
    extensions: { vector },
  }
}

function fromSnapshot(): PGliteOptions {
  return options.snapshot === undefined ? {} : { loadDataDir: new Blob([readFileSync(options.snapshot)]) }
}

/** A new directory gets its name only when it is complete and on the disk: a start that is cut off leaves nothing half-made. */
async function createDirectory(dataDir: string): Promise<void> {
  const draft = `${dataDir}.new`
  rmSync(draft, { recursive: true, force: true })
  const fresh = await PGlite.create({ ...settings(draft), ...fromSnapshot() })
  await fresh.close()
  if (options.fsync) syncTree(draft)
  renameSync(draft, dataDir)
  if (options.fsync) syncDirectory(path.dirname(dataDir))
}

async function open(): Promise<PGlite> {
  const { dataDir } = options
  if (dataDir === undefined) return PGlite.create({ ...settings(undefined), ...fromSnapshot() })
  if (!existsSync(path.join(dataDir, 'PG_VERSION'))) await createDirectory(dataDir)
  return PGlite.create(settings(dataDir))
}

const CHUNK_SHARE = 64 * 1024

/** One whole request of the frontend protocol in, everything the server says to it out. */
async function execute(db: PGlite, request: Uint8Array): Promise<void> {
  if (request[0] === 0) {
    const answer = db.execProtocolRawSync(request).slice()
    send(answer, [answer.buffer])
    return
  }
  const chunks: Uint8Array[] = []
  await db.execProtocolRawStream(request, { syncToFs: false, onRawData: (bytes) => chunks.push(bytes.slice()) })
  const answer = new Uint8Array(Buffer.concat(chunks))
  send(answer, answer.byteLength > CHUNK_SHARE ? [answer.buffer] : [])
}

async function dump(db: PGlite): Promise<void> {
  const blob = await db.dumpDataDir('none')
  const tar = new Uint8Array(await blob.arrayBuffer())
  send({ kind: 'dump', tar }, [tar.buffer])
}

function fail(error: unknown): void {
  const { code, message } = error as NodeJS.ErrnoException
  send({ kind: 'failed', code, message: String(message) })
}

try {
  const db = await open()
  port.on('message', async (message: ToWorker) => {
    try {
      if (message instanceof Uint8Array) await execute(db, message)
      else if (message.kind === 'dump') await dump(db)
      else {
        await db.close()
        port.close()
      }
    } catch (error) {
      fail(error)
    }
  })
  send({ kind: 'ready' })
} catch (error) {
  fail(error)
  port.close()
}
