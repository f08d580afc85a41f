export { randomHex } from './random-hex.ts'
