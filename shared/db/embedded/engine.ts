import path from 'node:path'
import { Worker } from 'node:worker_threads'
import pg from 'pg'
import type { Logger } from '../../telemetry/index.ts'
import { type ExtensionTypes, typeParsers } from '../values.ts'
import { DatabasePort } from './port.ts'
import type { FromWorker, ToWorker, WorkerOptions } from './protocol.ts'

export interface EngineEvents {
  /** The thread ended without being asked to. */
  lost(reason: Error): void
  notification(channel: string, payload: string): void
  /** A request went to the thread, or its answer came back. */
  busy(): void
  idle(): void
}

const CLOSE_MS = 15_000

/** One life of the database thread: started, spoken to through one `pg` client, ended or lost. */
export class Engine {
  readonly client: pg.Client
  readonly extension: ExtensionTypes = { vector: undefined }
  readonly #worker: Worker
  readonly #port: DatabasePort
  readonly #exited: Promise<void>
  readonly #log: Logger
  #events: EngineEvents | undefined
  #onDump: ((tar: Uint8Array) => void) | undefined
  #open: { resolve: () => void; reject: (error: Error) => void } | undefined
  #ended = false

  private constructor(worker: Worker, log: Logger) {
    this.#worker = worker
    this.#log = log
    this.#port = new DatabasePort({
      request: (bytes) => {
        this.#events?.busy()
        this.#send(new Uint8Array(bytes))
      },
      stopped: () => this.#lose(new Error('the embedded database stopped in the middle of an answer')),
    })
    this.client = new pg.Client({
      user: 'postgres',
      database: 'postgres',
      stream: () => this.#port as never,
      types: typeParsers(this.extension) as pg.CustomTypesConfig,
      pipeline: true,
    })
    this.client.on('error', () => {})
    this.client.on('notification', (n) => this.#events?.notification(n.channel, n.payload ?? ''))
    this.#exited = new Promise((resolve) => worker.once('exit', () => resolve()))
    worker.on('message', (message: FromWorker) => this.#receive(message))
    worker.on('error', (error) => this.#lose(error))
    worker.on('exit', () => this.#lose(new Error('the thread of the embedded database ended')))
    for (const output of [worker.stdout, worker.stderr]) {
      output.setEncoding('utf8').on('data', (line: string) => log.debug({ line: line.trim() }, 'embedded database'))
    }
  }

  /** Starts the thread and waits until statements can be sent. */
  static async start(options: WorkerOptions, events: (engine: Engine) => EngineEvents, log: Logger): Promise<Engine> {
    const file = new URL(`./worker${path.extname(new URL(import.meta.url).pathname)}`, import.meta.url)
    // stdout of a stdio server is protocol only: nothing the thread prints may get there.
    const worker = new Worker(file, { workerData: options, execArgv: [], stdout: true, stderr: true })
    const engine = new Engine(worker, log)
    try {
      await new Promise<void>((resolve, reject) => {
        engine.#open = { resolve, reject }
      })
      await engine.client.connect()
      await engine.client.query("set timezone to 'UTC'; set datestyle to 'ISO'")
      engine.#events = events(engine)
      await engine.detect()
      return engine
    } catch (error) {
      await engine.kill()
      throw error
    }
  }

  /** Looks for pgvector's type; again after a migration. */
  async detect(): Promise<void> {
    const found = await this.client.query(
      "select t.oid from pg_type t join pg_extension e on e.extname = 'vector' where t.typname = 'vector'",
    )
    this.extension.vector = found.rows[0]?.oid
  }

  /** The whole directory as a tar. */
  dump(): Promise<Uint8Array> {
    this.#events?.busy()
    return new Promise((resolve) => {
      this.#onDump = (tar) => {
        this.#events?.idle()
        resolve(tar)
      }
      this.#send({ kind: 'dump' })
    })
  }

  /** Ends the thread the orderly way, with a checkpoint. */
  async close(): Promise<void> {
    this.#ended = true
    this.#send({ kind: 'close' })
    const timer = setTimeout(() => void this.#worker.terminate(), CLOSE_MS)
    await this.#exited
    clearTimeout(timer)
    this.#port.destroy()
  }

  /** Ends the thread at once, whatever it does; like a kill -9 to the database, which it survives. */
  async kill(): Promise<void> {
    this.#ended = true
    await this.#worker.terminate()
    await this.#exited
    this.#port.destroy()
  }

  #send(message: ToWorker): void {
    const transfer = message instanceof Uint8Array && message.byteLength > 65_536 ? [message.buffer as ArrayBuffer] : []
    this.#worker.postMessage(message, transfer)
  }

  #receive(message: FromWorker): void {
    if (message instanceof Uint8Array) {
      this.#events?.idle()
      this.#port.answer(message)
    } else if (message.kind === 'ready') this.#open?.resolve()
    else if (message.kind === 'dump') this.#onDump?.(message.tar)
    // `node --watch` sends its own messages through the port of a thread; they are not about the database.
    else if (message.kind === 'failed') this.#lose(Object.assign(new Error(message.message), { code: message.code }))
  }

  #lose(reason: Error): void {
    if (this.#ended) return
    this.#ended = true
    this.#log.error({ err: reason }, 'the embedded database was lost')
    this.#open?.reject(reason)
    this.#events?.lost(reason)
    void this.kill()
  }
}
