import path from 'node:path'
import { expect, test } from 'vitest'
import { plainEnv, root, run } from '../e2e/under-test.ts'

const chaos = (...args: string[]) => run([path.join(root, 'test/chaos/run.ts'), ...args], plainEnv())

test('one kill by seed: the run says what it did, finds nothing wrong and ends with 0', async () => {
  const counts = ['--kills', '1', '--minutes', '0', '--supervisor-kills', '0']
  const args = ['--mode', 'embedded', '--seed', '11', '--faults', 'kill-server', ...counts, '--json']
  const { code, json, stderr } = await chaos(...args)
  expect(json?.modes[0]?.wrong ?? stderr).toEqual([])
  expect(code).toBe(0)
  expect(json).toMatchObject({
    seed: 11,
    passed: true,
    modes: [{ mode: 'embedded', struck: [{ fault: 'kill-server' }] }],
  })
  expect(json.modes[0].effects).toBeGreaterThanOrEqual(177)
})

test('a command line that is wrong is refused in words', async () => {
  expect(await chaos('--kills', 'many')).toMatchObject({ code: 2, stderr: expect.stringContaining('--kills') })
  expect(await chaos('--faults', 'earthquake')).toMatchObject({ code: 2, stderr: expect.stringContaining('disk-full') })
})
