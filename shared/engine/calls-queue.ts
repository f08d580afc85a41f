import { defineQueue } from '../jobs/index.ts'

export interface BackgroundCall {
  tenant_id: string
  invocation_id: string
}

/** Wakes a worker for a call; the invocation's row is the truth, so a lost or doubled job changes nothing. */
export const CALLS_QUEUE = defineQueue<BackgroundCall>({
  name: 'engine.calls',
  retry_limit: 5,
  retry_delay_seconds: 2,
  expire_seconds: 3_600,
})
