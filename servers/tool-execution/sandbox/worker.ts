import { createRequire } from 'node:module'
import { Socket } from 'node:net'
import { Worker } from 'node:worker_threads'
import { OVER_MEMORY } from './messages.ts'
import { serveRuns } from './serve-runs.ts'

// The program of one sandbox process: empty environment, empty directory, no rights. It speaks frames on descriptor 3.

const [parentPid, vmPath] = process.argv.slice(2)

/** Resident MB that the present run may have; 0 while there is none. */
const limit = new Int32Array(new SharedArrayBuffer(4))

// Its own thread, because this one may be stuck in native code when the parent dies, or when memory runs away: that is looked at every
// 5 ms here, and ends the process by a signal that the parent knows. Asleep while nothing runs.
new Worker(
  `const { workerData: { parent, limit } } = require('node:worker_threads')
   for (;;) {
     if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL')
     const mb = Atomics.load(limit, 0)
     if (mb > 0 && process.memoryUsage.rss() > mb * 1048576) process.kill(process.pid, '${OVER_MEMORY}')
     Atomics.wait(limit, 0, mb, mb > 0 ? 5 : 250)
   }`,
  { eval: true, workerData: { parent: Number(parentPid), limit }, resourceLimits: { maxOldGenerationSizeMb: 16 } },
).unref()

const parent = new Socket({ fd: 3, readable: true, writable: true })
const die = () => process.kill(process.pid, 'SIGKILL')
parent.on('error', die)
parent.on('end', die)
serveRuns(createRequire(import.meta.url)(String(vmPath)), parent, (mb) => {
  Atomics.store(limit, 0, mb)
  Atomics.notify(limit, 0)
})
