import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type UnderTest, underTest } from './under-test.ts'

const folder = mkdtempSync(path.join(os.tmpdir(), 'story-portal-import-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function write(file: string, content: string | Buffer): string {
  const at = path.join(folder, file)
  mkdirSync(path.dirname(at), { recursive: true })
  writeFileSync(at, content)
  return at
}

const MEMORY = [
  { type: 'entity', name: 'Ada', entityType: 'person', observations: ['writes the parser', 'likes small commits'] },
  { type: 'entity', name: 'Parser', entityType: 'component', observations: ['reads tokens'] },
  { type: 'relation', from: 'Ada', to: 'Parser', relationType: 'maintains' },
  { type: 'relation', from: 'Ada', to: 'Nobody', relationType: 'knows' },
]

describe('story-portal import', () => {
  let it: UnderTest
  const context = async (tool: string, args: object) =>
    (await it.cli('call', 'context-orchestrator', tool, JSON.stringify(args), '--json')).json
  beforeAll(async () => {
    it = await underTest()
    const { code, stderr } = await it.cli('up')
    expect(code, stderr).toBe(0)
  }, 120_000)
  afterAll(() => it.dispose())

  test("server-memory's file: entities are found again, with their relations, and none is made twice", async () => {
    const file = write('memory.jsonl', `${MEMORY.map((line) => JSON.stringify(line)).join('\n')}\nnot json\n`)
    const dry = await it.cli('import', file, '--project', 'graph', '--dry-run', '--json')
    expect(dry.json).toMatchObject({
      kind: 'server-memory',
      imported: 0,
      tasks: [{ title: 'Ada' }, { title: 'Parser' }],
    })
    expect(await context('list_task_contexts', { project: 'graph' })).toMatchObject({ error: { code: 'NOT_FOUND' } })
    for (let i = 0; i < 2; i++) {
      const { code, json } = await it.cli('import', file, '--project', 'graph', '--json')
      expect(code).toBe(0)
      expect(json).toMatchObject({ imported: 2 })
      expect(json.skipped.map(({ file: where }: { file: string }) => where)).toEqual(['memory.jsonl:5', 'memory.jsonl'])
    }
    const { items } = await context('list_task_contexts', { project: 'graph' })
    expect(items.map(({ title, status }: Record<string, string>) => [title, status]).toSorted()).toEqual([
      ['Ada', 'archived'],
      ['Parser', 'archived'],
    ])
    const [found] = (await context('search_contexts', { project: 'graph', query: 'small commits' })).items
    expect(found).toMatchObject({ title: 'Ada', match: { text: 'likes small commits' } })
    const { relationships } = await context('get_unified_context', { task_id: found.task_id })
    expect(relationships).toMatchObject([{ relation: 'related_to', title: 'Parser' }])
  })

  test('the folder of the platform before, and a folder of notes; what can not be read is named, the current task stays', async () => {
    await context('create_task_context', { project: 'old', title: 'Mine', updates: { goal: 'stay' } })
    const old = {
      ...{ taskId: 'auth', name: 'Passkeys', status: 'in_progress', currentPhase: 'build', iteration: 3 },
      immediateContext: {
        workingOn: 'the login form',
        lastAction: 'wrote the model',
        nextStep: 'write the route',
        blockers: ['review of Ada'],
      },
      ...{
        keyFiles: ['src/auth.ts', { path: 'src/login.ts' }],
        lockedElements: [{ name: 'schema.sql', reason: 'released' }],
      },
      technicalDecisions: [{ decision: 'WebAuthn', rationale: 'no passwords' }, 'Keep sessions'],
    }
    write('.claude/contexts/task-agents/auth.json', JSON.stringify(old))
    write('.claude/contexts/task-agents/broken.json', '{')
    const claude = await it.cli('import', path.join(folder, '.claude'), '--project', 'old', '--json')
    expect(claude.json).toMatchObject({ kind: 'claude-contexts', imported: 1, skipped: [{ reason: 'it is not JSON' }] })
    const tasks = (await context('list_task_contexts', { project: 'old' })).items as {
      title: string
      task_id: string
      current: boolean
    }[]
    expect(tasks.find(({ current }) => current)?.title).toBe('Mine')
    const auth = tasks.find(({ title }) => title === 'Passkeys')
    expect((await context('get_unified_context', { task_id: auth?.task_id })).task.checkpoint).toEqual({
      ...{
        goal: 'the login form',
        next_action: 'write the route',
        blockers: ['review of Ada'],
        done_steps: ['wrote the model'],
      },
      key_files: [{ path: 'src/auth.ts' }, { path: 'src/login.ts' }],
      decisions: [{ decision: 'WebAuthn', reason: 'no passwords' }, { decision: 'Keep sessions' }],
      locked_elements: [{ element: 'schema.sql', reason: 'released' }],
      notes: 'currentPhase: build\n\niteration: 3',
    })

    write(
      'notes/release.md',
      '---\ntags: x\n---\n# Release 2\nIn May.\n\n## Goal\nShip it\n\n## Decisions\n- Use tar\n\n## To do\n- [ ] publish\n- [x] announce\n\n## Odd things\nThe printer.\n',
    )
    write('notes/binary.md', Buffer.from([1, 0, 2]))
    symlinkSync('/etc/passwd', path.join(folder, 'notes/link.md'))
    const notes = await it.cli('import', path.join(folder, 'notes'), '--project', 'notes', '--json')
    expect(notes.json).toMatchObject({ kind: 'markdown', imported: 1 })
    expect(notes.json.skipped).toEqual([
      { file: 'binary.md', reason: 'it is not text' },
      { file: 'link.md', reason: 'it is no ordinary file' },
    ])
    const { task } = await context('get_unified_context', { project: 'notes' })
    expect(task).toMatchObject({ title: 'Release 2' })
    expect(task.checkpoint).toEqual({
      ...{ goal: 'Ship it', decisions: [{ decision: 'Use tar' }], pending_steps: ['publish', 'announce'] },
      notes: 'In May.\n\n## Odd things\nThe printer.',
    })
  })

  test('what is nothing of these is refused, with what would be something', async () => {
    for (const place of [
      path.join(folder, 'nowhere'),
      write('x.bin', 'x'),
      write('empty/x.txt', 'x').replace('/x.txt', ''),
    ]) {
      const { code, json } = await it.cli('import', place, '--json')
      expect(code).toBe(1)
      expect(json).toMatchObject({ error: { number: 'E0202', code: 'INVALID_INPUT' } })
    }
  })
})
