import { randomUUID } from 'node:crypto'

/** Leases of workers inside a process begin with this; assistants' leases carry their subject and survive a restart. */
export const BOOT_PREFIX = 'boot:'

/** Names a process as the holder of leases; a new boot of the embedded platform voids those of older boots. */
export function leaseOwner(bootId: string): string {
  return `${BOOT_PREFIX}${bootId}`
}

/** The holder for calls whose spec names none: this process, new at every start. */
export const processOwner = leaseOwner(randomUUID())

/** Proves a lease; unguessable, because assistants hold it. */
export function newLeaseToken(): string {
  return `lease_${randomUUID().replaceAll('-', '')}`
}

export const DEFAULT_LEASE_MS = 30_000
