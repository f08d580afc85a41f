import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { editor } from './editor.ts'
import { OWN_SETTINGS, sampleProject } from './sample-project.ts'
import { outcomeOf, plainEnv, root, run, type UnderTest, underTest } from './under-test.ts'

const SERVER = 'context-orchestrator'
const BUDGET_BYTES = 2_000 * 4

const SILENT = { code: 0, stdout: '', stderr: '' }
const edit = (file: string, tool_name = 'Edit') => ({ tool_name, tool_input: { file_path: file }, tool_response: {} })

describe('the hooks of an editor, by the commands in its settings', () => {
  let it: UnderTest
  let project: ReturnType<typeof sampleProject>
  beforeAll(async () => {
    it = await underTest()
    expect(await it.cli('up')).toMatchObject({ code: 0 })
    project = await installed()
  })
  afterAll(() => it.dispose())

  async function installed() {
    const made = sampleProject()
    expect(await it.cli('hooks', 'install', '--project', made.folder)).toMatchObject({ code: 0 })
    return made
  }

  /** A tool as somebody in the project's folder calls it. */
  async function call(tool: string, args: Record<string, unknown>, server = SERVER) {
    const cli = [path.join(root, 'tools/story-portal.js'), 'call', server, tool, JSON.stringify(args), '--json']
    const { code, json, stdout } = await run(cli, it.env, { cwd: project.folder })
    if (code !== 0) throw new Error(stdout)
    return json
  }
  const session = async (client_session_id: string) => call('start_session', { client_session_id })
  const status = async (id: string) => (await call('get_record', { kind: 'session', id }, 'data')).record.status
  const log = () => readFileSync(path.join(it.home, 'logs/hooks.log'), 'utf8').trim().split('\n')

  test('a session that starts gets what was saved, within the budget whatever its size; before that a line how to save', async () => {
    const nothing = await editor(project, 'first')('SessionStart', { source: 'startup' })
    expect(nothing).toMatchObject({ code: 0, stderr: '' })
    expect(nothing.context).toMatch(/^Story Portal keeps .*save_context_snapshot .* session_id ses_\w+\.$/)

    const updates = {
      goal: 'Move the parser',
      next_action: 'Run the tests of the lexer — «all» of them',
      notes: '☂'.repeat(10_000),
      decisions: Array.from({ length: 200 }, (_, i) => ({ decision: `decision ${i}`, reason: 'ö'.repeat(100) })),
    }
    await call('save_context_snapshot', { updates })
    for (const source of ['startup', 'resume', 'clear', 'compact']) {
      const { code, context = '', stderr } = await editor(project, `second-${source}`)('SessionStart', { source })
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      expect(context).toContain('Next action: Run the tests of the lexer — «all» of them')
      expect(context).toContain('decision 199')
      expect(Buffer.byteLength(context)).toBeLessThanOrEqual(BUDGET_BYTES)
    }
  })

  test('a smaller budget is kept to as well, and installing again without it goes back', async () => {
    const before = readFileSync(project.settings, 'utf8')
    const install = async (...more: string[]) =>
      (await it.cli('hooks', 'install', '--project', project.folder, ...more, '--json')).json
    expect(await install('--max-tokens', '300')).toMatchObject({ changed: true })
    const { context = '' } = await editor(project, 'small')('SessionStart', { source: 'startup' })
    expect(Buffer.byteLength(context)).toBeLessThanOrEqual(1_200)
    expect(context).toContain('Next action: Run the tests')
    expect(await install()).toMatchObject({ changed: true })
    expect(readFileSync(project.settings, 'utf8')).toBe(before)
  })

  test('an edit makes the file a key file with the digest of its bytes; what is not below the project is none', async () => {
    const run = editor(project, 'edits')
    const file = path.join(project.folder, 'src/parser.ts')
    const keyFiles = async () => (await call('get_unified_context', { max_tokens: 50_000 })).task.checkpoint.key_files
    for (const text of ['export const parser = 2\n', 'export const parser = 3\n']) {
      writeFileSync(file, text)
      expect(await run('PostToolUse', edit(file))).toMatchObject(SILENT)
      const sha256 = createHash('sha256').update(text).digest('hex')
      expect(await keyFiles()).toEqual([{ path: 'src/parser.ts', sha256 }])
    }
    const book = path.join(project.folder, 'src/a book.ipynb')
    writeFileSync(book, '{}')
    await run('PostToolUse', { tool_name: 'NotebookEdit', tool_input: { notebook_path: 'src/a book.ipynb' } })
    const before = await keyFiles()
    expect(before).toMatchObject([{ path: 'src/parser.ts' }, { path: 'src/a book.ipynb' }])

    const outside = path.join(it.home, 'outside')
    writeFileSync(outside, 'x')
    symlinkSync(outside, path.join(project.folder, 'src/link'))
    for (const other of [outside, 'src/link', 'src', 'src/gone', '../x', '/dev/zero', '', 'a\0b']) {
      expect(await run('PostToolUse', edit(other, 'Write'))).toMatchObject(SILENT)
    }
    expect(await keyFiles()).toEqual(before)
    // By hand, other tools than the matcher names.
    expect(await run('PostToolUse', { tool_name: 'Bash', tool_input: { command: 'ls' } })).toMatchObject(SILENT)
  })

  test('fields as VS Code and Cursor name them are known too; the editor knows its project better than where it stands', async () => {
    const run = editor(project, '')
    const cwd = project.folder
    const file = path.join(cwd, 'src/other.ts')
    writeFileSync(file, 'x')
    const code = { sessionId: 'of code', cwd, tool_name: 'create_file', tool_input: { filePath: file } }
    const cursor = { conversation_id: 'of cursor', cursor_version: '3', cwd, tool_name: 'Write' }
    expect(await run('PostToolUse', {}, JSON.stringify(code))).toMatchObject(SILENT)
    expect(await run('Stop', {}, JSON.stringify(cursor))).toMatchObject(SILENT)
    const { task } = await call('get_unified_context', { max_tokens: 50_000 })
    expect(task.checkpoint.key_files).toContainEqual(expect.objectContaining({ path: 'src/other.ts' }))
    expect(await session('of code')).toMatchObject({ resumed: true, session: { assistant: 'vscode' } })
    expect(await session('of cursor')).toMatchObject({ resumed: true, session: { assistant: 'cursor' } })

    const elsewhere = editor(project, 'elsewhere', { CLAUDE_PROJECT_DIR: cwd })
    await elsewhere('Stop', { cwd: it.home })
    expect(await session('elsewhere')).toMatchObject({ resumed: true })
  })

  test('before a compaction the task is marked and the session counts as compacted; the same session goes on afterwards', async () => {
    const run = editor(project, 'long')
    await run('SessionStart', { source: 'startup' })
    const { session: first } = await session('long')
    await call('save_context_snapshot', { session_id: first.session_id, updates: { next_action: 'Go on here' } })
    expect(await run('PreCompact', { trigger: 'auto', custom_instructions: '' })).toMatchObject(SILENT)
    expect(await status(first.session_id)).toBe('compacted')
    const { checkpoints, task } = await call('get_unified_context', {})
    expect(checkpoints[0]).toMatchObject({ label: 'before compaction (auto)', version: task.version })

    expect((await run('SessionStart', { source: 'compact' })).context).toContain('Next action: Go on here')
    expect(await status(first.session_id)).toBe('recovered')
    expect(await session('long')).toMatchObject({ resumed: true, session: { task_id: first.task_id } })
  })

  test('a session that is resumed goes on with its own task, whatever the project has gone on to', async () => {
    const run = editor(project, 'own')
    await run('SessionStart', { source: 'startup' })
    const { session_id } = (await session('own')).session
    await call('save_context_snapshot', { session_id, updates: { next_action: 'Go on with my own' } })
    await call('create_task_context', { title: 'Of somebody else', updates: { next_action: 'Do theirs' } })
    expect((await run('SessionStart', { source: 'resume' })).context).toContain('Next action: Go on with my own')
    await run('SessionEnd', { reason: 'other' })
    expect((await run('SessionStart', { source: 'resume' })).context).toContain('Next action: Go on with my own')
    expect((await editor(project, 'new')('SessionStart', { source: 'startup' })).context).toContain('Do theirs')
  })

  test('a stop is a sign of life, also of a session that nobody has begun; an end ends it', async () => {
    const run = editor(project, 'short')
    expect(await run('Stop', { stop_hook_active: false })).toMatchObject(SILENT)
    const { session: alive, resumed } = await session('short')
    expect([resumed, alive.status, alive.assistant]).toEqual([true, 'active', 'claude-code'])
    expect(await run('SessionEnd', { reason: 'prompt_input_exit' })).toMatchObject(SILENT)
    expect(await status(alive.session_id)).toBe('ended')
  })

  test('five edits at once are five key files', async () => {
    const files = Array.from({ length: 5 }, (_, i) => path.join(project.folder, `src/at-once-${i}.ts`))
    for (const file of files) writeFileSync(file, file)
    const ends = await Promise.all(files.map((file) => editor(project, 'at once')('PostToolUse', edit(file))))
    for (const end of ends) expect(end).toMatchObject(SILENT)
    const { task } = await call('get_unified_context', { max_tokens: 50_000 })
    const names = task.checkpoint.key_files.map((one: { path: string }) => one.path)
    expect(names).toEqual(expect.arrayContaining(files.map((file) => path.relative(project.folder, file))))
  })

  test('whatever comes in, the editor goes on: nothing is printed, the reason is in the log', async () => {
    const run = editor(project, 'odd')
    const before = log().length
    const odd = ['', 'null', '[1', '{"session_id": {}}', '{"session_id": ""}', '"x"', 'x'.repeat(33 * 1024 * 1024)]
    for (const raw of odd) {
      for (const event of ['SessionStart', 'PreCompact', 'Stop', 'SessionEnd']) {
        expect(await run(event, {}, raw)).toMatchObject(SILENT)
      }
    }
    expect(log().length - before).toBe(odd.length * 4)
    expect(JSON.parse(log().at(-1) ?? '')).toMatchObject({ name: 'hooks', level: 'warn', event: 'session-end' })
    expect((await it.cli('logs', '--server', 'hooks', '--lines', '1')).stdout).toContain('hooks')
  })

  test('a platform that takes the call and never answers, or answers nonsense, does not hold the editor', async () => {
    const home = mkdtempSync(path.join(os.tmpdir(), 'story-portal-mute-'))
    onTestFinished(() => rmSync(home, { recursive: true, force: true }))
    for (const answer of [undefined, '<html>', '{"accepted":true}\n', '{"result":{}}\n']) {
      const mute = createServer((_, res) => answer !== undefined && res.end(answer)).listen(0, '127.0.0.1')
      await new Promise((resolve) => mute.once('listening', resolve))
      const { port } = mute.address() as AddressInfo
      for (const folder of ['run', 'logs']) mkdirSync(path.join(home, folder), { recursive: true })
      writeFileSync(path.join(home, 'token'), 'spt_x\n')
      writeFileSync(path.join(home, 'run/platform.json'), JSON.stringify({ host: '127.0.0.1', port_base: port - 14 }))
      for (const event of ['session-start', 'pre-compact', 'post-edit', 'stop', 'session-end']) {
        const env = { ...plainEnv(), STORY_PORTAL_HOME: home }
        const child = spawn(process.execPath, [path.join(root, 'tools/hooks/hook.cjs'), event], { env })
        child.stdin.end(JSON.stringify({ session_id: 's', cwd: project.folder, ...edit('src/parser.ts') }))
        expect(await outcomeOf(child)).toMatchObject(SILENT)
      }
      mute.closeAllConnections()
      mute.close()
    }
    expect(readFileSync(path.join(home, 'logs/hooks.log'), 'utf8')).toContain('no answer within')
  })

  test('an editor that does not close its end of the pipe is not waited for', async () => {
    const child = spawn(process.execPath, [path.join(root, 'tools/hooks/hook.cjs'), 'stop'], { env: it.env })
    child.stdin.write('{"session_id": "s"')
    expect(await outcomeOf(child)).toMatchObject(SILENT)
  })

  test('platform down: nothing is printed; platform gone: neither; and uninstall gives back the settings', async () => {
    await it.cli('down')
    const run = editor(project, 'down')
    const before = log().length
    for (const event of ['SessionStart', 'PreCompact', 'PostToolUse', 'Stop', 'SessionEnd']) {
      expect(await run(event, edit(path.join(project.folder, 'src/parser.ts')))).toMatchObject(SILENT)
    }
    expect(log().length - before).toBe(5)
    expect(await it.cli('hooks', 'uninstall', '--project', project.folder)).toMatchObject({ code: 0 })
    expect(readFileSync(project.settings, 'utf8')).toBe(OWN_SETTINGS)

    const moved = sampleProject()
    await it.cli('hooks', 'install', '--project', moved.folder)
    const there = readFileSync(moved.settings, 'utf8')
    writeFileSync(moved.settings, there.replaceAll('/tools/hooks/hook.cjs', '/gone/tools/hooks/hook.cjs'))
    expect(await editor(moved, 'gone')('SessionStart')).toMatchObject(SILENT)
    moved.dispose()
    project.dispose()
  })
})
