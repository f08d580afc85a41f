import type { Capability } from './capability.ts'
import httpFetch from './http-fetch.ts'
import secretsRead from './secrets-read.ts'
import storage from './storage.ts'

export { type Capability, type CapabilityUse, type Question, receiverKey } from './capability.ts'

const all = new Map([httpFetch, secretsRead, ...storage].map((one) => [`@${one.name}`, one]))

/** The capability that code means by this name of a host call; undefined for a tool. */
export function capabilityNamed(name: string): Capability | undefined {
  return all.get(name)
}
