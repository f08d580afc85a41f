/** What the main thread and the database thread say to each other besides PostgreSQL's own protocol (plain byte arrays). */
export interface WorkerOptions {
  /** Absent: in memory. */
  dataDir: string | undefined
  /** Restored when there is no database yet; else initdb makes one. */
  snapshot: string | undefined
  fsync: boolean
}

export type ToWorker = Uint8Array | { kind: 'dump' } | { kind: 'close' }

export type FromWorker =
  | Uint8Array
  | { kind: 'ready' }
  | { kind: 'failed'; code: string | undefined; message: string }
  | { kind: 'dump'; tar: Uint8Array }

/** Length of the frame at `at` in the frontend or backend protocol: a letter, then a length that counts itself. */
export function frameLength(bytes: Buffer, at: number): number {
  return bytes.length - at < 5 ? Number.POSITIVE_INFINITY : 1 + bytes.readUInt32BE(at + 1)
}
