import { expect, test } from 'vitest'
import { fromProc, fromPs } from './process-usage.ts'

test.runIf(process.platform === 'linux')('/proc and ps agree on this process', async () => {
  const here = fromProc(process.pid)
  const ps = await fromPs(process.pid)
  const rss = process.memoryUsage().rss / 1_048_576
  expect(here?.rss_mb).toBeGreaterThan(rss / 2)
  expect(here?.rss_mb).toBeLessThan(rss * 2)
  expect(ps?.rss_mb).toBeGreaterThan(rss / 2)
  expect(here?.cpu_ms).toBeGreaterThan(0)
})

test('a process that is gone has no usage', async () => {
  expect(fromProc(2 ** 30)).toBeUndefined()
  expect(await fromPs(2 ** 30)).toBeUndefined()
})
