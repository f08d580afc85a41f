import type { Caller, CallerClient } from './types.ts'

/** The person at this machine: whoever can read the token file or start the stdio entry. Owner of the tenant `local`. */
export function localUser(client: CallerClient): Caller {
  return { tenant_id: 'local', subject: 'user:local', roles: ['owner'], scopes: ['*'], client }
}
