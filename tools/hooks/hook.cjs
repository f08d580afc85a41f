'use strict'
/**
 * `node hook.cjs <event>`: what an editor runs at an event, whose JSON it sends on stdin. Tells the running platform, prints at most
 * the context for a session that starts, and fails open: whatever is wrong, it ends with 0 within its deadline, says nothing and
 * leaves a line in <home>/logs/hooks.log.
 *
 * It runs at every edit, so it loads three modules of Node and nothing else. CommonJS: imported as an ES module, node:http loads
 * fetch with it, which doubles the time of the whole process.
 */
const fs = require('node:fs')
const http = require('node:http')
const os = require('node:os')
const path = require('node:path')

const SERVER = 'context-orchestrator'
/** What the server adds to the port base. */
const PORT = 14
const DEADLINE_MS = { 'session-start': 1_000, 'pre-compact': 1_000, 'post-edit': 500, stop: 500, 'session-end': 1_000 }
const MAX_TOKENS = 2_000
/** For the lines around the resume prompt. */
const FRAME_TOKENS = 200
const MOST_INPUT_BYTES = 32 * 1024 * 1024
/** A larger file is named without its digest: reading it would take the editor's time. */
const MOST_HASHED_BYTES = 16 * 1024 * 1024
const MOST_LOG_BYTES = 1024 * 1024

const root = path.dirname(path.dirname(__dirname))
const home = homeOf(process.env.STORY_PORTAL_HOME)
const [event = '', tokens = String(MAX_TOKENS)] = process.argv.slice(2)
const deadlineMs = DEADLINE_MS[event] ?? 500
const giveUpAt = Date.now() + deadlineMs

const EVENTS = {
  'session-start': sessionStart,
  'pre-compact': preCompact,
  'post-edit': postEdit,
  stop: (input) => startSession(input),
  'session-end': sessionEnd,
}

process.on('uncaughtException', (error) => end(error))
process.on('unhandledRejection', (error) => end(error))
setTimeout(() => end(new Error(`no answer within ${deadlineMs} ms`)), deadlineMs)
run().then(() => end(), end)

async function run() {
  const handle = EVENTS[event]
  if (handle === undefined) throw new Error(`there is no event ${event}`)
  const input = JSON.parse(await readInput())
  const text = await handle(editorEvent(input))
  if (typeof text === 'string') await print(text)
}

/** What the editors send, by one name: VS Code writes some in another case, Cursor calls a session a conversation. */
function editorEvent(input) {
  const { tool_input: tool = {} } = input
  return {
    session: input.session_id ?? input.sessionId ?? input.conversation_id,
    cwd: process.env.CLAUDE_PROJECT_DIR || input.cwd || process.cwd(),
    trigger: input.trigger ?? 'auto',
    tool: input.tool_name ?? '',
    file: tool.file_path ?? tool.notebook_path ?? tool.filePath,
    editor: input.cursor_version ? 'cursor' : input.sessionId ? 'vscode' : 'claude-code',
  }
}

/** The session of the editor's session, which is alive by that. */
async function startSession(input) {
  if (typeof input.session !== 'string' || input.session === '') throw new Error('the editor named no session')
  return call(input, 'start_session', { client_session_id: input.session.slice(0, 200) })
}

async function sessionStart(input) {
  const { session, resumed, continues } = await startSession(input)
  const budget = Number(tokens)
  const back = await call(input, 'check_recovery', {
    // Only a session that has nothing of its own takes over what another one has left; any other goes on with its own task.
    ...(resumed || continues ? { client_session_id: session.client_session_id } : { session_id: session.session_id }),
    max_tokens: Math.max(100, budget - FRAME_TOKENS),
  })
  const additionalContext = contextText(session, back, budget * 4)
  return JSON.stringify({ hookSpecificOutput: { hookEventName: 'SessionStart', additionalContext } })
}

/** The context to go on with, then other tasks that were left, within a number of bytes. */
function contextText({ session_id, task_id }, { sessions, task }, mostBytes) {
  const found = sessions.filter((one) => one.task_id)
  const mine = found.find((one) => one.task_id === task?.task_id) ?? found[0]
  const how = `save_context_snapshot of ${SERVER} with session_id ${session_id}`
  if (mine === undefined) {
    return `Story Portal keeps what you know of this project across sessions; nothing is left to go on with. Save goal, decisions and next_action with ${how}.`
  }
  const others = new Set(found.map((one) => one.task_id).filter((id) => id !== mine.task_id))
  if (task_id && task_id !== task?.task_id) others.add(task_id)
  const parts = [`From Story Portal. Save what changes with ${how}.`, mine.resume_prompt]
  if (others.size > 0) parts.push(`Also left: ${[...others].slice(0, 3).join(', ')}; get_unified_context has each.`)
  if (Buffer.byteLength(parts.join('\n\n')) > mostBytes) parts.splice(2)
  return cut(parts.join('\n\n'), mostBytes)
}

/** At most so many bytes, ending with a whole character. */
function cut(text, mostBytes) {
  const bytes = Buffer.from(text)
  if (bytes.length <= mostBytes) return text
  let end = mostBytes
  while (end > 0 && (bytes[end] & 0xc0) === 0x80) end -= 1
  return bytes.toString('utf8', 0, end)
}

/** The task as it is now gets a mark, and the session counts as compacted: the one that follows takes it over. */
async function preCompact(input) {
  const { session } = await startSession(input)
  if (session.task_id) {
    const label = `before compaction (${String(input.trigger).slice(0, 100)})`
    // Of a task that has saved nothing there is nothing to mark.
    await call(input, 'create_checkpoint', { task_id: session.task_id, label }).catch(unlessNotFound)
  }
  await call(input, 'end_session', { session_id: session.session_id, status: 'compacted' })
}

async function postEdit(input) {
  if (typeof input.file !== 'string') return
  const { session, project } = await startSession(input)
  const file = keyFile(path.resolve(input.cwd, input.file), project.root)
  if (file === undefined) return
  await call(input, 'save_context_snapshot', {
    session_id: session.session_id,
    updates: { key_files: [file] },
    summary: `${String(input.tool).slice(0, 100)} ${file.path}`,
  })
}

/** A file as the project names it, with its digest; undefined when it is none or, links followed, not below the root. */
function keyFile(file, projectRoot) {
  const stat = fs.statSync(file, { throwIfNoEntry: false })
  if (!stat?.isFile() || !projectRoot) return undefined
  const real = fs.realpathSync(file)
  const below = path.relative(projectRoot, real)
  if (below.startsWith('..') || path.isAbsolute(below)) return undefined
  const name = below.split(path.sep).join('/')
  if (stat.size > MOST_HASHED_BYTES) return { path: name }
  const { hash } = require('node:crypto')
  return { path: name, sha256: hash('sha256', fs.readFileSync(real)) }
}

async function sessionEnd(input) {
  const { session } = await startSession(input)
  await call(input, 'end_session', { session_id: session.session_id })
}

function unlessNotFound(error) {
  if (error.code !== 'NOT_FOUND') throw error
}

/** One tool call as the local user, the way the command line makes it. Rejects with the platform's own error or that of the way to it. */
function call({ cwd, editor }, tool, args) {
  const { url, token } = platform()
  const body = JSON.stringify({
    arguments: args,
    client: { surface: 'cli', name: editor, cwd },
    timeout_ms: Math.max(1, giveUpAt - Date.now()),
  })
  const secure = url.protocol === 'https:'
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  }
  const options = { method: 'POST', headers, ...(secure ? {} : { agent }) }
  return new Promise((resolve, reject) => {
    const target = new URL(`/internal/call/${SERVER}/${tool}`, url)
    const request = (secure ? require('node:https') : http).request(target, options, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk) => (text += chunk))
      response.once('error', reject)
      response.once('end', () => answerOf(text, resolve, reject))
    })
    request.once('error', reject)
    request.end(body)
  })
}

/** Its last line that says something is the result or the error. */
function answerOf(text, resolve, reject) {
  const last = text.trim().split('\n').at(-1) ?? ''
  const { result, error } = JSON.parse(last)
  if (result !== undefined) return resolve(result)
  reject(Object.assign(new Error(`${error?.number}: ${error?.message}`), error))
}

const agent = new http.Agent({ keepAlive: true })

/** Where the platform of this home listens, as it has written itself; what no platform has written is not tried: it gets our token. */
function platform() {
  const token = fs.readFileSync(path.join(home, 'token'), 'utf8').trim()
  const given = process.env.STORY_PORTAL_URL_CONTEXT_ORCHESTRATOR
  if (given) return { url: new URL(given), token }
  const { host, port_base } = JSON.parse(fs.readFileSync(path.join(home, 'run', 'platform.json'), 'utf8'))
  const reachable = { '0.0.0.0': '127.0.0.1', '': '127.0.0.1', '::': '::1' }[host] ?? host
  const name = reachable.includes(':') ? `[${reachable}]` : reachable
  return { url: new URL(`http://${name}:${Number(process.env.STORY_PORTAL_PORT_BASE || port_base) + PORT}`), token }
}

function homeOf(given) {
  if (given?.startsWith('~/')) return path.join(os.homedir(), given.slice(2))
  return path.resolve(root, given || '.story-portal')
}

async function readInput() {
  const chunks = []
  let bytes = 0
  for await (const chunk of process.stdin) {
    bytes += chunk.length
    if (bytes > MOST_INPUT_BYTES) throw new Error(`the editor sent more than ${MOST_INPUT_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function print(text) {
  return new Promise((resolve) => {
    process.stdout.once('error', resolve)
    process.stdout.write(`${text}\n`, resolve)
  })
}

function end(error) {
  if (error !== undefined) log(error)
  process.exit(0)
}

/** One line that `story-portal logs` shows. Where there is no platform there is no log either. */
function log(error) {
  try {
    const file = path.join(home, 'logs', 'hooks.log')
    const msg = error instanceof Error ? error.message : String(error)
    const level = error?.code === 'ECONNREFUSED' || error?.code === 'ENOENT' ? 'info' : 'warn'
    const line = { level, time: new Date().toISOString(), pid: process.pid, name: 'hooks', event, msg }
    if ((fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0) > MOST_LOG_BYTES) fs.renameSync(file, `${file}.1`)
    fs.appendFileSync(file, `${JSON.stringify(line)}\n`, { mode: 0o600 })
  } catch {
    // The editor goes on.
  }
}
