import { createRequire } from 'node:module'
import { Socket } from 'node:net'
import { Worker } from 'node:worker_threads'
import { serveRuns } from './serve-runs.ts'

// The program of one sandbox process: empty environment, empty directory, no rights. It speaks frames on descriptor 3.

const [parentPid, vmPath] = process.argv.slice(2)

// Its own thread, because this one may be stuck in native code when the parent dies.
new Worker(
  `const { workerData } = require('node:worker_threads')
   setInterval(() => { if (process.ppid !== workerData) process.kill(process.pid, 'SIGKILL') }, 250)`,
  { eval: true, workerData: Number(parentPid), resourceLimits: { maxOldGenerationSizeMb: 16 } },
).unref()

const parent = new Socket({ fd: 3, readable: true, writable: true })
const die = () => process.kill(process.pid, 'SIGKILL')
parent.on('error', die)
parent.on('end', die)
serveRuns(createRequire(import.meta.url)(String(vmPath)), parent)
