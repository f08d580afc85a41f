// Preloaded (`--import`) into the worker processes of the exactly-once run: a process that comes to the point whose name stands in
// the file `armed` of STORY_PORTAL_TEST_KILL_DIR takes the file away, so that only one does, and kills itself there.
import { readFileSync, renameSync } from 'node:fs'
import path from 'node:path'
import pg from 'pg'
import { Agent } from 'undici'

const folder = process.env['STORY_PORTAL_TEST_KILL_DIR'] ?? ''
const armed = path.join(folder, 'armed')
let count = 0

function reach(point) {
  try {
    if (readFileSync(armed, 'utf8') !== point) return
    renameSync(armed, path.join(folder, `${point}.${process.pid}.${++count}`))
  } catch {
    return
  }
  process.kill(process.pid, 'SIGKILL')
}

/** What the open transaction of a connection has done that matters. */
const doing = new WeakMap()

function noted(client, sql, values) {
  if (/^begin/i.test(sql)) doing.delete(client)
  if (/insert into "?core"?\."?invocations/i.test(sql)) doing.set(client, 'intent')
  const ends =
    /update "?core"?\."?invocations/i.test(sql) && values.some((value) => String(value).includes('"succeeded"'))
  if (ends) doing.set(client, 'record')
  return /^\s*commit/i.test(sql) ? doing.get(client) : undefined
}

const query = pg.Client.prototype.query
pg.Client.prototype.query = function (given, values, ...rest) {
  const sql = typeof given === 'string' ? given : (given?.text ?? '')
  const committed = noted(this, sql, [values, given?.values].find(Array.isArray) ?? [])
  if (committed) reach(`${committed}-before-commit`)
  const answer = query.call(this, given, values, ...rest)
  return committed && answer?.then
    ? answer.then((result) => {
        reach(`${committed}-after-commit`)
        return result
      })
    : answer
}

const dispatch = Agent.prototype.dispatch
Agent.prototype.dispatch = function (options, handler) {
  if (options.method !== 'POST') return dispatch.call(this, options, handler)
  reach('request-before-send')
  setTimeout(() => reach('request-in-flight'), Math.random() * 4)
  return dispatch.call(
    this,
    options,
    new Proxy(handler, {
      get(target, name) {
        const value = Reflect.get(target, name, target)
        if (typeof value !== 'function') return value
        return (...args) => {
          if (name === 'onResponseStart' || name === 'onHeaders') reach('request-answered')
          return value.apply(target, args)
        }
      },
    }),
  )
}
