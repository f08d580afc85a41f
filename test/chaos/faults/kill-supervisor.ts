import { setTimeout as sleep } from 'node:timers/promises'
import { daemonPid } from '../../../tools/cli/pm2.ts'
import { allGone } from '../../../tools/cli/processes.ts'
import { kill, serverProcesses, strays } from '../processes.ts'
import type { Fault } from '../registry.ts'

/** kill -9 of PM2's daemon, alone or with some of what it watched; then `story-portal up`, as a person would. */
export default {
  kind: 'supervisor',
  modes: ['embedded', 'distributed'],
  async strike(subject, random) {
    const daemon = daemonPid(subject.home)
    const servers = serverProcesses(subject)
    const victims = random.pick([[], [random.pick(servers)], servers])
    if (daemon !== undefined) kill(daemon)
    for (const { pid } of victims) kill(pid)
    await allGone([daemon ?? 0, ...victims.map(({ pid }) => pid)].filter(Boolean), 5_000)
    // Some work goes on under nobody before somebody notices.
    await sleep(random.between(0, 2_000))
    const began = performance.now()
    const up = await subject.platform.cli('up', '--json')
    const seconds = ((performance.now() - began) / 1_000).toFixed(1)
    if (up.code !== 0) throw new Error(`up failed: ${up.stdout} ${up.stderr}`)
    const left = await strays(subject)
    if (left.length > 0) throw new Error(left.join('; '))
    return `with ${victims.length} of ${servers.length} servers; up took ${seconds} s`
  },
} satisfies Fault
