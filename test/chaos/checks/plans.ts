import type { Row } from '../client.ts'
import { TASKS } from '../load/plan-tasks.ts'
import { allRecords } from '../log.ts'
import type { Check } from '../registry.ts'

/** Every plan that was begun has completed with all its tasks, and no tool that works was charged an attempt for a fault. */
const check: Check = async (subject) => {
  const tasks = await allRecords(subject, 'task')
  const plans = new Map((await allRecords(subject, 'plan')).map((row) => [row['id'], row]))
  const wrong: string[] = []
  for (const { id, name } of subject.load.ledger.plans) {
    const own = tasks.filter((task) => task['plan_id'] === id)
    const open = own.filter((task) => task['status'] !== 'completed').sort(failedFirst)
    if (plans.get(id)?.['status'] !== 'completed') wrong.push(`plan ${name} is ${plans.get(id)?.['status']}`)
    if (own.length !== TASKS) wrong.push(`plan ${name} has ${own.length} tasks instead of ${TASKS}`)
    for (const task of open) wrong.push(`${name}/${task['key']} is ${task['status']}: ${JSON.stringify(task['error'])}`)
    for (const task of own.filter(
      ({ kind, key, attempts }) => kind === 'tool' && Number(attempts) > allowed(String(key)),
    )) {
      wrong.push(`${name}/${task['key']} took ${task['attempts']} attempts`)
    }
  }
  return wrong
}

const failedFirst = (a: Row, b: Row) => Number(b['status'] === 'failed') - Number(a['status'] === 'failed')

const allowed = (key: string) => (key.startsWith('refused') ? 2 : 1)

export default check
