import { randomBytes } from 'node:crypto'

const DIGITS = '0123456789abcdefghjkmnpqrstvwxyz'
let lastTime = 0
let lastRandom = 0n

/**
 * A ULID in lower case behind a prefix: 10 digits of milliseconds, 16 of randomness (https://github.com/ulid/spec). Ids of one
 * process rise strictly, also within a millisecond and when the clock steps back.
 */
export function newId(prefix: string): string {
  const now = Date.now()
  if (now > lastTime) {
    lastTime = now
    lastRandom = BigInt(`0x${randomBytes(10).toString('hex')}`)
  } else if (++lastRandom >> 80n) {
    lastTime += 1
    lastRandom = 0n
  }
  return `${prefix}_${base32(BigInt(lastTime), 10)}${base32(lastRandom, 16)}`
}

function base32(value: bigint, length: number): string {
  let rest = value
  let text = ''
  for (let i = 0; i < length; i++) {
    text = DIGITS[Number(rest & 31n)] + text
    rest >>= 5n
  }
  return text
}
