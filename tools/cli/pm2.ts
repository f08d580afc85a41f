import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { platformNode, rootDir } from '../launch.js'
import { commandLine, isAlive } from './processes.ts'

/** One app as PM2 reports it. */
export interface SupervisedApp {
  name: string
  pid: number
  status: string
  restarts: number
}

/**
 * The wait before a restart grows with each, and begins anew for an app that has been up for 3 s, which is a little more than
 * its start takes: whatever can not start waits ever longer, what did start and was killed comes back at once. With 15 s a
 * platform killed every five seconds was away for 16 s after the 25th time.
 */
const PATIENCE = { EXP_BACKOFF_RESET_TIMER: '3000', PM2_WORKER_INTERVAL: '1000' }

interface Pm2Answer {
  code: number
  stdout: string
  stderr: string
}

/**
 * PM2 as a program of its own (it is AGPL: run, never imported), with its state under this home so that it never meets
 * another PM2 of the same user.
 */
export function pm2(home: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<Pm2Answer> {
  const bin = path.join(path.dirname(createRequire(import.meta.url).resolve('pm2/package.json')), 'bin', 'pm2')
  const child = spawn(platformNode(), [bin, ...args], {
    cwd: rootDir,
    env: {
      ...withoutNpm(env),
      ...PATIENCE,
      PM2_HOME: pm2Home(home),
      PM2_DISCRETE_MODE: 'true',
      PM2_NO_INTERACTION: 'true',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const answer: Pm2Answer = { code: 1, stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    answer.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    answer.stderr += text
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ ...answer, code: code ?? 1 }))
  })
}

export function pm2Home(home: string): string {
  return path.join(home, 'pm2')
}

/** The supervisor's own process on this home, when it lives. */
export function daemonPid(home: string): number | undefined {
  try {
    const pid = Number(readFileSync(path.join(pm2Home(home), 'pm2.pid'), 'utf8'))
    // The number may belong to somebody else by now.
    return pid > 0 && isAlive(pid) && /pm2|God Daemon/i.test(commandLine(pid) || 'pm2') ? pid : undefined
  } catch {
    return undefined
  }
}

export async function listApps(home: string): Promise<SupervisedApp[]> {
  if (daemonPid(home) === undefined) return []
  const { stdout } = await pm2(home, ['jlist'])
  // PM2 may print a notice of its own before the list.
  const start = stdout.indexOf('[{')
  if (start < 0) return []
  const apps = JSON.parse(stdout.slice(start)) as {
    name: string
    pid: number
    pm2_env: { status: string; restart_time: number }
  }[]
  return apps.map(({ name, pid, pm2_env }) => ({
    name,
    pid,
    status: pm2_env.status,
    restarts: pm2_env.restart_time,
  }))
}

/** npm's own variables would be kept by PM2 and handed to every app it ever starts. */
function withoutNpm(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^(npm_|INIT_CWD$)/.test(name)))
}
