/**
 * What PM2 supervises. `story-portal up` starts it with a PM2_HOME of its own; `pm2-runtime start ecosystem.config.js` does for
 * a container. Named export: with "type": "module" PM2 does not find a default one.
 */
import path from 'node:path'
import { loadConfig } from '@story-portal/shared/config'
import { rootDir } from './tools/launch.js'
import { serverFolders } from './tools/registry.ts'

const config = loadConfig({ env: process.env, root: rootDir })
const crashes = path.join(config.home, 'logs', 'crash')

/** @param {string} name @param {string} script @param {string[]} args @param {string} memory */
function app(name, script, args, memory) {
  return {
    name,
    script: path.join(rootDir, 'tools', script),
    args,
    cwd: rootDir,
    // Without it PM2 hands .ts files to another runtime.
    interpreter: process.execPath,
    exec_mode: 'fork',
    instances: 1,
    // Our own logs rotate in <home>/logs; these hold only what a process says while it dies.
    out_file: path.join(crashes, `${name}.out.log`),
    error_file: path.join(crashes, `${name}.err.log`),
    merge_logs: true,
    wait_ready: true,
    listen_timeout: 120_000,
    // Longer than the drain, so that work in progress ends by itself.
    kill_timeout: config.mcp.drainMs + 5_000,
    // The sandbox's processes are ended by their parent, after the calls that use them.
    treekill: false,
    max_memory_restart: memory,
    // Grows by half with every restart, up to 15 s: a dozen kills in a row must not keep a server away for seconds.
    exp_backoff_restart_delay: 10,
    // A bad configuration does not get better by starting again.
    stop_exit_codes: [78],
    pmx: false,
    vizion: false,
    automation: false,
  }
}

/** Embedded: one process, for one process must own the database. Distributed: one per folder of servers/. */
export const apps =
  config.mode === 'embedded'
    ? [app('platform', 'platform.ts', [], '2G')]
    : serverFolders().map((name) => app(name, 'serve.ts', [name], '768M'))
