import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'

/** Settings as somebody wrote them: four spaces, lists on one line, a hook of their own, keys that nobody knows. */
export const OWN_SETTINGS = `{
    "permissions": { "allow": ["Bash(npm test)", "Read(./**)"] },
    "env": {"BIG": 12345678901234567890, "RATE": 1.50},
    "hooks": {
        "Stop": [
            { "hooks": [{ "type": "command", "command": "echo done >> stopped.txt" }] }
        ],
        "PreToolUse": [ { "matcher": "Bash", "hooks": [] } ]
    },
    "somethingNew": {"of": [ "tomorrow" ]}
}
`

/** A git repository in a directory of its own, with editor settings unless `settings` is null. */
export function sampleProject(settings: string | null = OWN_SETTINGS) {
  const folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'story-portal-sample-')))
  execFileSync('git', ['init', '-q', folder])
  mkdirSync(path.join(folder, 'src'))
  writeFileSync(path.join(folder, 'src/parser.ts'), 'export const parser = 1\n')
  const file = path.join(folder, '.claude/settings.json')
  if (settings !== null) {
    mkdirSync(path.dirname(file))
    writeFileSync(file, settings)
  }
  return { folder, settings: file, dispose: () => rmSync(folder, { recursive: true, force: true }) }
}
