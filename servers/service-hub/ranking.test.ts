import { expect, test } from 'vitest'
import { rank } from './ranking.ts'
import { words } from './words.ts'

const documents = [
  ['create_goal', 'Creates a goal. To split it into tasks, call create_plan.'],
  ['create_plan', 'Creates a plan from steps with dependencies.'],
  ['claim_task', 'Takes the next ready task with a lease.'],
  ['cancel_plan', 'Cancels a plan and fences its leases.'],
  ['list_events', 'Returns events of the log by stream or type.'],
].map(([name = '', description = '']) => ({
  item: name,
  fields: [
    { text: name.replaceAll('_', ' '), weight: 4 },
    { text: description, weight: 2 },
  ],
}))

const search = (query: string, limit = 3) => rank(documents, query, limit).map(({ item }) => item)

test.each([
  ['cancelling plans', 'cancel_plan'],
  ['claim the next task', 'claim_task'],
  ['new goal', 'create_goal'],
  ['event log', 'list_events'],
  ['step dependency', 'create_plan'],
])('%s finds %s first', (query, expected) => {
  expect(search(query)[0]).toBe(expected)
})

test('nothing in common finds nothing, and the limit holds', () => {
  expect(search('quantum chromodynamics')).toEqual([])
  expect(search('')).toEqual([])
  expect(search('plan goal task', 2)).toHaveLength(2)
  expect(rank([], 'plan', 5)).toEqual([])
})

test('endings fall away', () => {
  expect(words('Cancelling the plans, running queries')).toEqual(['cancell', 'plan', 'run', 'query'])
})
