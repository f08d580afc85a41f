import { mkdtempSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createLogger } from './logger.ts'
import { createMetrics } from './metrics.ts'
import { redact } from './redact.ts'
import { rotatingFile } from './rotating-file.ts'

test.each([
  ['{"password":"hunter2 \\"quoted\\" rest","user":"ann"}', 'hunter2'],
  ['{"lease_token":"abc123"}', 'abc123'],
  ['{"headers":{"Authorization":"Bearer abcdefgh12345678"}}', 'abcdefgh12345678'],
  ['{"msg":"connect postgres://ann:s3cr3t@db:5432/x failed"}', 's3cr3t'],
  ['{"msg":"got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-def"}', 'eyJzdWIiOiIxIn0'],
  [`{"msg":"key ${['sk', 'ant', 'x'.repeat(24)].join('-')}"}`, 'x'.repeat(24)],
  ['{"msg":"ghp_abcdefghijklmnopqrstuvwxyz0123"}', 'ghp_abcdefghij'],
  ['{"msg":"AKIAABCDEFGHIJKLMNOP"}', 'AKIAABCDEFGHIJKLMNOP'],
  ['{"msg":"-----BEGIN RSA PRIVATE KEY-----\\nMIIE\\n-----END RSA PRIVATE KEY-----"}', 'MIIE'],
  ['{"url":"https://x.example/?access_token=abc123&x=1"}', 'abc123'],
])('%s loses its secret', (line, secret) => {
  expect(redact(line)).not.toContain(secret)
  expect(redact(line)).toContain('[redacted')
})

test('ordinary lines pass unchanged', () => {
  const line = '{"msg":"plan pln_01 finished","max_tokens":100,"total":3,"path":"/home/ann/token-list"}'
  expect(redact(line)).toBe(line)
})

test('a logger writes redacted JSON lines with the bindings of its child', () => {
  const lines: string[] = []
  const log = createLogger({ name: 'test', level: 'info', destination: { write: (line) => lines.push(line) } })
  log.child({ correlation_id: 'cor_1' }).info({ api_key: 'very-secret' }, 'done')
  log.debug('not shown')
  expect(lines).toHaveLength(1)
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    level: 'info',
    name: 'test',
    correlation_id: 'cor_1',
    api_key: '[redacted]',
    msg: 'done',
  })
})

test('a log file is turned over by size, keeps its count, and old files go when the directory is full', () => {
  const dir = mkdtempSync(join(tmpdir(), 'story-portal-log-'))
  writeFileSync(join(dir, 'dead-1.log'), 'x'.repeat(400))
  utimesSync(join(dir, 'dead-1.log'), 1, 1)
  const file = rotatingFile({ dir, name: 'one-7', maxBytes: 100, maxFiles: 3, maxTotalBytes: 350 })
  for (let i = 0; i < 20; i += 1) file.write(`line ${String(i).padStart(3, '0')} ${'.'.repeat(30)}\n`)
  file.close()
  expect(readdirSync(dir).sort()).toEqual(['one-7.log', 'one-7.log.1', 'one-7.log.2'])
  expect(readFileSync(join(dir, 'one-7.log'), 'utf8')).toContain('line 019')
  for (const name of readdirSync(dir)) expect(statSync(join(dir, name)).size).toBeLessThanOrEqual(100)
  expect(statSync(join(dir, 'one-7.log')).mode & 0o077).toBe(0)
})

test('a directory that can not be written costs lines, not the process', () => {
  const dir = mkdtempSync(join(tmpdir(), 'story-portal-log-'))
  writeFileSync(join(dir, 'file'), '')
  const file = rotatingFile({
    dir: join(dir, 'file', 'logs'),
    name: 'x',
    maxBytes: 100,
    maxFiles: 2,
    maxTotalBytes: 1000,
  })
  expect(() => file.write('lost\n')).not.toThrow()
})

test('two hosts of one process count apart', async () => {
  const [a, b] = [createMetrics(), createMetrics()]
  a.observeCall({ server: 'planning', tool: 'get_plan', code: 'ok', ms: 12 })
  expect(await a.text()).toContain('story_portal_tool_calls_total{server="planning",tool="get_plan",code="ok"} 1')
  expect(await b.text()).not.toContain('get_plan')
})
