import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { sampleProject } from './sample-project.ts'
import { outcomeOf, plainEnv } from './under-test.ts'

interface Settings {
  hooks: Record<string, { matcher?: string; hooks: { command: string }[] }[]>
}

/** The editor's side: it knows the settings and what it sends, and nothing of the platform. */
export function editor(
  project: ReturnType<typeof sampleProject>,
  session_id: string,
  more: Record<string, string> = {},
) {
  const { CLAUDE_PROJECT_DIR: _, ...plain } = plainEnv()
  const env = { ...plain, ...more }
  const common = { session_id, transcript_path: '/dev/null', cwd: project.folder, permission_mode: 'default' }
  return async (hook_event_name: string, fields: Record<string, unknown> = {}, raw?: string) => {
    const { hooks } = JSON.parse(readFileSync(project.settings, 'utf8')) as Settings
    // The last group: those before it are the project's own.
    const command = hooks[hook_event_name]?.at(-1)?.hooks[0]?.command ?? 'false'
    const child = spawn('sh', ['-c', command], { cwd: project.folder, env, stdio: ['pipe', 'pipe', 'pipe'] })
    child.stdin.on('error', () => {})
    child.stdin.end(raw ?? JSON.stringify({ ...common, hook_event_name, ...fields }))
    const { code, stdout, stderr, json } = await outcomeOf(child)
    return { code, stdout, stderr, context: json?.hookSpecificOutput?.additionalContext as string | undefined }
  }
}
