export { localUser } from './local-user.ts'
export type { Caller, CallerClient } from './types.ts'
