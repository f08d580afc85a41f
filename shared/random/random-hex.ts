import { randomFillSync } from 'node:crypto'

/** One visit to the generator fills many ids; each on its own was a twelfth of a call's CPU. */
const pool = Buffer.allocUnsafeSlow(8192)
let used = pool.length

/** `bytes` random bytes (at most 8192) as hexadecimal digits: for ids that must not meet, not for secrets. */
export function randomHex(bytes: number): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += bytes
  return pool.toString('hex', used - bytes, used)
}
