import { withRedis } from '../redis-admin.ts'
import type { Fault } from '../registry.ts'

/** Everything in Redis is gone. */
export default {
  kind: 'other',
  modes: ['distributed'],
  strike: (subject) => withRedis(subject, (redis) => redis.flushall()),
} satisfies Fault
