import { defineServer } from '@story-portal/shared/mcp'

export default defineServer({
  title: 'Runtime',
  layer: 'L02',
  port: 2,
  summary: 'agents and their durable runs',
  instructions: [
    'Carries out what was started elsewhere: every run_plan of planning makes one run here.',
    'get_run shows its steps with attempts, invocations, cost and the timeline; list_runs finds runs; cancel_run stops one.',
    'Runs survive a killed process: another one continues when the lease ends, and no recorded step runs twice.',
  ].join(' '),
})
