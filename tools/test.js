// `npm test`: installs, then runs every suite. Plain JavaScript: it works on a fresh clone with any Node from 18 on.
import { ensureInstalled } from './install.js'
import { launch } from './launch.js'

await ensureInstalled()
await launch('run-tests.ts')
