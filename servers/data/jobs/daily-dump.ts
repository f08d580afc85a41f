import { startDailyDumps } from '@story-portal/shared/db'
import { defineJob } from '@story-portal/shared/mcp'

/** Writes the daily dump of an embedded database into its data directory. */
export default defineJob({
  name: 'daily-dump',
  start: async ({ db, log }) => startDailyDumps(db, log),
})
