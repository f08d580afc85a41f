import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { envelopeVerifier, signEnvelope } from './envelope.ts'
import { localUser } from './local-user.ts'
import { ensureToken, readToken, secretMatcher } from './token-file.ts'

const KEY = 'k'.repeat(32)
const NOW = Date.UTC(2026, 10, 23)
const content = {
  caller: { ...localUser({ surface: 'internal', name: 'test' }), run_id: 'run_1', fence: 3 },
  audience: 'data',
  tool: 'create_record',
  idempotency_key: 'key-1',
}

function folder(): string {
  return mkdtempSync(join(tmpdir(), 'story-portal-auth-'))
}

test('the token is made once, readable by its owner only, and the same for everyone after', () => {
  const path = join(folder(), 'home', 'token')
  const token = ensureToken(path)
  expect(token).toMatch(/^spt_[\w-]{43}$/)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(ensureToken(path)).toBe(token)
  expect(readFileSync(path, 'utf8')).toBe(`${token}\n`)
})

test('a half-written token is replaced, an open file is closed to others', () => {
  const path = join(folder(), 'token')
  writeFileSync(path, 'spt_short')
  const token = ensureToken(path)
  expect(readToken(path)).toBe(token)
  writeFileSync(path, `${token}\n`, { mode: 0o644 })
  ensureToken(path)
  expect(statSync(path).mode & 0o077).toBe(0)
})

test('a directory that can not be written is said plainly', () => {
  const path = join(folder(), 'file')
  writeFileSync(path, '')
  expect(() => ensureToken(join(path, 'token'))).toThrow(/token file .* can not be read or written: ENOTDIR/)
})

test('secrets compare whole', () => {
  expect(secretMatcher('abc')('abc')).toBe(true)
  expect(secretMatcher('abcd')('abc')).toBe(false)
  expect(secretMatcher('abc')('')).toBe(false)
})

test('an envelope opens once, for its server, tool and body', () => {
  const verify = envelopeVerifier(KEY, 'data')
  const envelope = signEnvelope(KEY, content, '{"a":1}', NOW)
  expect(verify(envelope, 'create_record', '{"a":1}', NOW + 1_000)).toEqual(content)
  expect(() => verify(envelope, 'create_record', '{"a":1}', NOW + 1_000)).toThrow('No valid credentials')
})

test.each<[string, (envelope: string) => [string, string, string, number]]>([
  ['another body', (e) => [e, 'create_record', '{"a":2}', NOW]],
  ['another tool', (e) => [e, 'delete_record', '{"a":1}', NOW]],
  ['cut', (e) => [e.slice(0, -2), 'create_record', '{"a":1}', NOW]],
  [
    'another payload',
    (e) => [`${Buffer.from('{}').toString('base64url')}.${e.split('.')[1]}`, 'create_record', '{"a":1}', NOW],
  ],
  ['no signature', (e) => [e.split('.')[0] ?? '', 'create_record', '{"a":1}', NOW]],
  ['three parts', (e) => [`${e}.x`, 'create_record', '{"a":1}', NOW]],
  ['empty', () => ['', 'create_record', '{"a":1}', NOW]],
])('an envelope with %s is refused', (_name, change) => {
  const [envelope, tool, body, now] = change(signEnvelope(KEY, content, '{"a":1}', NOW))
  expect(() => envelopeVerifier(KEY, 'data')(envelope, tool, body, now)).toThrow('No valid credentials')
})

test.each([
  ['late', NOW + 66_000],
  ['early', NOW - 6_000],
])(
  'an envelope that comes too %s is not let in, and may be sent anew: a clock is wrong, not the caller',
  (_name, now) => {
    const envelope = signEnvelope(KEY, content, '{}', NOW)
    const verify = envelopeVerifier(KEY, 'data')
    expect(() => verify(envelope, 'create_record', '{}', now)).toThrow(
      expect.objectContaining({ code: 'UNAVAILABLE', number: 'E0952', retryable: true }),
    )
    expect(() => verify(envelope, 'delete_record', '{}', now)).toThrow('No valid credentials')
  },
)

test('another key or another audience does not open it', () => {
  const envelope = signEnvelope(KEY, content, '{}', NOW)
  expect(() => envelopeVerifier('x'.repeat(32), 'data')(envelope, 'create_record', '{}', NOW)).toThrow()
  expect(() => envelopeVerifier(KEY, 'runtime')(envelope, 'create_record', '{}', NOW)).toThrow()
})
