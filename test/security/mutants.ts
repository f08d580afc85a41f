import fc from 'fast-check'
import { type HostileProgram, hostilePrograms } from './hostile-programs.ts'

export interface Mutant {
  code: string
  language: 'javascript' | 'typescript'
  /** Every way it may end: those of its pieces, and what a change of the text may lead to. */
  ends: readonly string[]
}

/** It throws, does not parse, is no JSON, is denied a call, or comes to one of its limits; only a crash has to be that of a piece. */
const ALWAYS = ['result', 'E3001', 'E3002', 'E3003', 'E3030', 'E3033', 'E3039', 'E3054']
const LIMITS = ['E3010', 'E3011', 'E3012', 'E3013', 'E3014', 'E3015', 'E3016', 'E3017', 'E3018']

type Change = (code: string) => string
const quoted = (text: string) => JSON.stringify(text)

/** Ways to say the same in other words, or at another moment. */
const CHANGES: readonly Change[] = [
  (code) => `try { ${code}\n } catch (e) { throw e }`,
  (code) => `try { ${code}\n } finally { console.log('at last') }`,
  (code) => `return await (async () => { ${code}\n })()`,
  (code) => `return await eval(${quoted(`(async () => { ${code}\n })()`)})`,
  (code) => `return await new (async () => {}).constructor('input', 'tools', ${quoted(code)})(input, tools)`,
  (code) => `const first = await (async () => { ${code}\n })().catch((e) => e); console.log(first); return first`,
  (code) => `await tools.a.b({}); ${code}`,
  (code) => `return await tools.a.b({}).then(async () => { ${code}\n })`,
  (code) => `return await Promise.resolve().then(async () => { ${code}\n })`,
  (code) => `return await Promise.race([tools.never.ends({}), (async () => { ${code}\n })()])`,
  (code) => `const both = await Promise.all([(async () => { ${code}\n })(), tools.a.b({ x: 1 })]); return both`,
  (code) =>
    `async function* all() { yield await (async () => { ${code}\n })() } for await (const one of all()) return one`,
  (code) => `class C { static done = (async () => { ${code}\n })() } return await C.done`,
  (code) => `const o = { get done() { return (async () => { ${code}\n })() } }; return await o.done`,
  (code) =>
    `const p = new Proxy({}, { get: (t, k) => k === 'done' ? (async () => { ${code}\n })() : undefined }); return await p.done`,
  (code) => `const value = await (async () => { ${code}\n })(); return { toJSON: () => value }`,
  (code) =>
    `const value = await (async () => { ${code}\n })(); throw { get message() { return value }, get stack() { return value } }`,
  (code) => `const value = await (async () => { ${code}\n })(); return await tools.a.b({ value })`,
  (code) => `const value = await (async () => { ${code}\n })(); return { then: (done) => done(value) }`,
  (code) => `label: { ${code}\n }`,
  (code) => `with_(() => 1); function with_(f) { return f() } ${code}`,
  (code) => `Object.prototype.then = undefined; ${code}`,
  (code) => `Error.prepareStackTrace = (e, s) => s; ${code}`,
  (code) => `Error.stackTraceLimit = Infinity; ${code}`,
  (code) =>
    `Promise.prototype.then = ((old) => function (...a) { return old.apply(this, a) })(Promise.prototype.then); ${code}`,
  (code) => `JSON.stringify = ((old) => (...a) => old(...a))(JSON.stringify); ${code}`,
  (code) => `globalThis.process = { version: 'none', env: {} }; globalThis.require = () => ({}); ${code}`,
  (code) => code.replaceAll('constructor', '\\u0063onstructor'),
  (code) => code.replaceAll('.constructor', "['con' + 'structor']"),
  (code) => code.replaceAll('globalThis', '(0, eval)("this")'),
  (code) => code.replaceAll('process', 'proc\\u0065ss'),
  (code) => code.replaceAll(/\b0\b/g, '-0'),
  (code) => code.replaceAll('=>', '=>/**/'),
]

/**
 * What a program that got out would see: asked of every function and object that can be reached, by every way to make a function, after whatever
 * went before has changed the realm. It prints only what the inside can not know, so no change of built-in objects makes it lie.
 */
function witness(secretFile: string): string {
  return `
    const told = []
    const tell = (value) => { try { told.push(String(value)) } catch {} }
    const ask = 'const p = typeof process === "undefined" ? undefined : process; return p && [p.version, p.pid, p.execPath, p.env && p.env.STORY_PORTAL_TEST_CANARY, typeof p.cwd === "function" && p.cwd(), p.mainModule && p.mainModule.require("fs").readFileSync(${quoted(secretFile)}, "utf8")].join()'
    const seen = new Set(); const queue = [globalThis, input, tools, console, http, storage, secrets, tools.a, tools.a.b, new Error('x'), (async () => {})()]
    for (let steps = 0; queue.length && steps < 1500; steps++) {
      const o = queue.pop()
      if ((typeof o !== 'object' && typeof o !== 'function') || o === null || seen.has(o)) continue
      seen.add(o)
      if (typeof o === 'function') { try { tell(o.constructor(ask)()) } catch {} try { tell(o(${quoted(secretFile)})) } catch {} }
      let keys = []; try { keys = Reflect.ownKeys(o) } catch {}
      for (const k of keys) { try { const d = Reflect.getOwnPropertyDescriptor(o, k); queue.push(d.value, d.get, d.set) } catch {} }
      try { queue.push(Reflect.getPrototypeOf(o)) } catch {}
    }
    for (const way of [() => import('node:fs'), () => import(${quoted(secretFile)}), () => require('fs')]) { try { tell(JSON.stringify(await way())) } catch (e) { tell(e) } }
    console.log(told.join(' ').slice(0, 20000))`
}

/** Programs made of one or two of the hostile ones, changed once to three times, some with a witness that runs after them. */
export function mutants(seed: number, count: number, secretFile: string): Mutant[] {
  const quick = hostilePrograms.filter(({ ends }) => ends.includes('result') || ends.includes('E3001'))
  const joined = (first: HostileProgram, second: HostileProgram | undefined): string =>
    second === undefined ? first.code : `await (async () => { ${first.code}\n })().catch(() => {}); ${second.code}`
  const arbitrary = fc
    .record({
      first: fc.constantFrom(...quick),
      second: fc.oneof(
        { weight: 4, arbitrary: fc.option(fc.constantFrom(...quick), { nil: undefined }) },
        { weight: 1, arbitrary: fc.constantFrom(...hostilePrograms) },
      ),
      changes: fc.array(fc.constantFrom(...CHANGES), { minLength: 1, maxLength: 3 }),
      witness: fc.boolean(),
      typed: fc.boolean(),
    })
    .map(({ first, second, changes, witness: watched, typed }): Mutant => {
      const body = changes.reduce((code, change) => change(code), joined(first, second))
      const code = watched ? `try { await (async () => { ${body}\n })() } catch {} ${witness(secretFile)}` : body
      const typescript = typed || first.language === 'typescript' || second?.language === 'typescript'
      return {
        code: typescript ? `const typed: number = 1; ${code}` : code,
        language: typescript ? 'typescript' : 'javascript',
        ends: [...ALWAYS, ...LIMITS, ...first.ends, ...(second?.ends ?? [])],
      }
    })
  return fc.sample(arbitrary, { seed, numRuns: count })
}
