import { randomHex } from '../random/index.ts'

const DIGITS = '0123456789abcdefghjkmnpqrstvwxyz'
/** Every two digits, by their value. */
const PAIRS = Array.from({ length: 1024 }, (_, n) => `${DIGITS[n >> 5]}${DIGITS[n & 31]}`)
const TWO_40 = 2 ** 40
const TWO_20 = 2 ** 20

let lastTime = 0
let timeDigits = ''
/** The 80 random bits, as two numbers of 40. */
let [high, low] = [0, 0]

/**
 * A ULID in lower case behind a prefix: 10 digits of milliseconds, 16 of randomness (https://github.com/ulid/spec). Ids of one
 * process rise strictly, also within a millisecond and when the clock steps back.
 */
export function newId(prefix: string): string {
  const now = Date.now()
  if (now > lastTime) {
    setTime(now)
    const random = randomHex(10)
    high = Number.parseInt(random.slice(0, 10), 16)
    low = Number.parseInt(random.slice(10), 16)
  } else {
    rise()
  }
  return `${prefix}_${timeDigits}${digits40(high)}${digits40(low)}`
}

function rise(): void {
  low += 1
  if (low < TWO_40) return
  low = 0
  high += 1
  if (high < TWO_40) return
  high = 0
  setTime(lastTime + 1)
}

function setTime(ms: number): void {
  lastTime = ms
  // 50 bits in ten digits: the upper two stand alone.
  timeDigits = `${PAIRS[Math.floor(ms / TWO_40)]}${digits40(ms % TWO_40)}`
}

/** Eight digits. */
function digits40(value: number): string {
  const upper = Math.floor(value / TWO_20)
  const lower = value % TWO_20
  return `${PAIRS[upper >> 10]}${PAIRS[upper & 1023]}${PAIRS[lower >> 10]}${PAIRS[lower & 1023]}`
}
