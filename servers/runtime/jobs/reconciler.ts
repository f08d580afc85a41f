import { startReconciler } from '@story-portal/shared/engine'
import { defineJob } from '@story-portal/shared/mcp'

/** Finds what a lost notification or a killed process left behind; one process of all leads. */
export default defineJob({
  name: 'reconciler',
  start: ({ db, boot_id, config, log, jobs }) => startReconciler({ db, boot_id, config, log, jobs }),
})
