// `npm start`: installs what the lockfile says, then `story-portal up`. Plain JavaScript: it runs before anything is installed.
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { ensureInstalled } from './install.js'
import { installed, launch, platformNode, toolsDir } from './launch.js'

/** A running platform holds files of node_modules open and would mix two versions of them. */
function stopPlatform() {
  if (!installed()) return
  spawnSync(platformNode(), [path.join(toolsDir, 'story-portal.js'), 'down', '--quiet'], { stdio: 'inherit' })
}

await ensureInstalled({ beforeInstall: stopPlatform })
const [node, script, ...args] = process.argv
if (!args.includes('--only-install')) {
  process.argv = [node, script, 'up', ...args]
  await launch('cli/main.ts')
}
