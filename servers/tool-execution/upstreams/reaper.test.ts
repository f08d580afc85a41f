import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const PLATFORM = `
  import { spawn } from 'node:child_process'
  import { createReaper } from ${JSON.stringify(new URL('reaper.ts', import.meta.url).href)}
  const upstream = spawn('sh', ['-c', 'trap "" HUP TERM; sleep 600 & echo $!; wait'], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  createReaper().watch(upstream.pid)
  upstream.stdout.once('data', (chunk) => console.log(upstream.pid, Number(chunk)))
  setInterval(() => {}, 1000)
`

/** A zombie that nobody has collected yet counts as ended. */
function runs(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

test('an upstream and its children end with a platform that was killed', async () => {
  const cwd = fileURLToPath(new URL('.', import.meta.url))
  const platform = spawn(process.execPath, ['--input-type=module', '-e', PLATFORM], {
    cwd,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [chunk] = (await once(platform.stdout, 'data')) as [Buffer]
  const [upstream = 0, child = 0] = String(chunk).trim().split(' ').map(Number)
  expect([runs(upstream), runs(child)]).toEqual([true, true])
  platform.kill('SIGKILL')
  await expect.poll(() => [runs(upstream), runs(child)], { timeout: 10_000 }).toEqual([false, false])
})
