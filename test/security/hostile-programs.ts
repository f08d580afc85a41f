/**
 * Programs that want out of the sandbox, or to take something with them. A program that reaches anything of the host returns
 * (or throws, or logs) a text with ESCAPED in it, one whose changes of built-in objects reach its result or its log one with PLANTED. `ends` lists every way a run of it may end: "result" for programs that are
 * simply contained, else the number of the error.
 */
export interface HostileProgram {
  name: string
  code: string
  ends: readonly string[]
  limits?: {
    heap_mb?: number
    wall_ms?: number
    cpu_ms?: number
    rss_mb?: number
    host_calls?: number
    log_bytes?: number
  }
  /** Granted calls; each is answered with what it was given. */
  calls?: boolean
  language?: 'typescript'
}

const WALL = 'E3010'
const CPU = 'E3011'
const HEAP = 'E3012'
const RSS = 'E3013'
const RESULT = 'E3014'
const LOG = 'E3015'
const CALLS = 'E3016'
const OPEN_CALLS = 'E3017'
const BYTES = 'E3018'
const THREW = 'E3001'
const SYNTAX = 'E3002'
const NOT_JSON = 'E3003'
const CRASHED = 'E3021'
const DENIED = 'E3030'

/** Memory that V8 does or does not count ends by whichever watch sees it first; all of them are limits of this run. */
const MEMORY = [HEAP, RSS, CRASHED, THREW, WALL, CPU]

/** `probe(fn)`: does the global object that this function constructor sees belong to a host? */
const PROBE = `
const probe = (make) => {
  try {
    const g = make('return this')()
    const found = ['process', 'require', 'module', 'Buffer', 'fetch', 'setTimeout', 'global', 'ivm'].filter((n) => g && typeof g[n] !== 'undefined')
    return found.length ? 'ESCAPED ' + found : 'inside'
  } catch (e) { return 'refused' }
}
`

/** Walks everything reachable and reports what looks like a handle of the embedder. */
const WALK = `
const seen = new Set(); const queue = [globalThis, input, tools, console, tools.a, tools.a.b, (async () => {})(), new Error('x')]; const bad = []
const words = ['applySync', 'applyIgnored', 'derefInto', 'copyInto', 'copySync', 'createContext', 'compileScript', 'NativeModule', 'Isolate', 'ExternalCopy', 'dispose', 'release']
while (queue.length && seen.size < 50000) {
  const o = queue.pop()
  if ((typeof o !== 'object' && typeof o !== 'function') || o === null || seen.has(o)) continue
  seen.add(o)
  let keys = []
  try { keys = Reflect.ownKeys(o) } catch {}
  for (const k of keys) {
    if (typeof k === 'string' && words.includes(k) && !(o === Iterator.prototype)) bad.push(k)
    try { const d = Reflect.getOwnPropertyDescriptor(o, k); queue.push(d.value, d.get, d.set) } catch {}
  }
  try { queue.push(Object.getPrototypeOf(o)) } catch {}
}
`

const all: Record<string, HostileProgram[]> = {
  'constructors and prototypes': [
    {
      name: 'this.constructor.constructor',
      code: `${PROBE} return probe(this.constructor.constructor)`,
      ends: ['result'],
    },
    { name: 'Function', code: `${PROBE} return probe(Function)`, ends: ['result'] },
    {
      name: 'constructor of an async function',
      code: `${PROBE} return probe((async () => {}).constructor)`,
      ends: ['result'],
    },
    {
      name: 'constructor of a generator',
      code: `${PROBE} return probe((function* () {}).constructor)`,
      ends: ['result'],
    },
    {
      name: 'constructor of an async generator',
      code: `${PROBE} return probe((async function* () {}).constructor)`,
      ends: ['result'],
    },
    { name: 'constructor of console.log', code: `${PROBE} return probe(console.log.constructor)`, ends: ['result'] },
    { name: 'constructor of a tool', code: `${PROBE} return probe(tools.a.b.constructor)`, ends: ['result'] },
    {
      name: 'constructor of an answer',
      code: `${PROBE} const r = await tools.a.b({}); return probe(r.constructor.constructor)`,
      ends: ['result'],
      calls: true,
    },
    {
      name: 'constructor of the promise of a call',
      code: `${PROBE} return probe(tools.a.b({}).constructor.constructor)`,
      ends: ['result'],
      calls: true,
    },
    {
      name: 'constructor of the error of a denied call',
      code: `${PROBE} try { await tools.a.b() } catch (e) { return probe(e.constructor.constructor) }`,
      ends: ['result'],
    },
    {
      name: 'constructor of an error of the engine',
      code: `${PROBE} try { null.x } catch (e) { return probe(e.constructor.constructor) }`,
      ends: ['result'],
    },
    {
      name: 'constructor of a stack overflow',
      code: `${PROBE} const f = () => f(); try { f() } catch (e) { return probe(e.constructor.constructor) }`,
      ends: ['result'],
    },
    {
      name: 'constructor of the input',
      code: `${PROBE} return probe(input.constructor.constructor)`,
      ends: ['result'],
    },
    { name: 'indirect eval', code: `${PROBE} return probe((0, eval)('Function'))`, ends: ['result'] },
    {
      name: 'Reflect.construct',
      code: `${PROBE} return probe((body) => Reflect.construct(Function, [body]))`,
      ends: ['result'],
    },
    {
      name: 'arguments.callee.caller',
      code: `function f() { return f.caller } const c = f(); return c === null ? 'inside' : 'caller ' + (c.caller ? 'ESCAPED' : 'own')`,
      ends: ['result', THREW],
    },
    {
      name: 'caller of a getter called by the prelude',
      code: `let who; console.log({ toJSON: function f() { who = f.caller; return 1 } }); return who ? 'ESCAPED ' + who : 'inside'`,
      ends: ['result', THREW],
    },
    {
      name: 'Object.prototype polluted',
      code: `Object.prototype.process = 'mine'; Object.prototype.toJSON = () => 'mine'; return { a: 1 }`,
      ends: ['result'],
    },
    {
      name: 'Object.prototype with a setter that catches what the prelude writes',
      code: `let got = []; for (const k of ['name', 'message', 'stack', 'call', 'resolve', 'reject', '0', '1']) Object.defineProperty(Object.prototype, k, { set(v) { got.push(typeof v === 'function' ? 'ESCAPED?' + k : k) }, get() {}, configurable: true }); try { await tools.a.b({}) } catch {} ; return got.filter((g) => g.startsWith('ESCAPED'))`,
      ends: ['result', THREW],
      calls: true,
    },
    {
      name: 'Array.prototype with a setter at 0',
      code: `let got = []; Object.defineProperty(Array.prototype, '0', { set(v) { got.push(typeof v) }, configurable: true }); await tools.a.b({}).catch(() => {}); return got.includes('function') ? 'ESCAPED' : 'inside'`,
      ends: ['result', THREW],
      calls: true,
    },
    {
      name: 'Function.prototype.call and apply replaced',
      code: `let got = []; for (const k of ['call', 'apply', 'bind']) Function.prototype[k] = function () { got.push(this); return 1 }; console.log('a'); try { await tools.a.b({}) } catch {} ; return got.length ? 'ESCAPED' : 'inside'`,
      ends: ['result'],
      calls: true,
    },
    {
      name: 'Promise.prototype.then replaced',
      code: `let got = []; Promise.prototype.then = function (a, b) { got.push(String(a)); return this }; await null; return got.some((s) => s.includes('emit')) ? 'ESCAPED' : 'inside'`,
      ends: ['result', WALL],
      limits: { wall_ms: 300 },
    },
    {
      name: 'Promise.prototype.constructor replaced',
      code: `let got = []; Object.defineProperty(Promise.prototype, 'constructor', { get() { got.push(new Error().stack); return Promise } }); await tools.a.b({}); return got.join().includes('/') ? 'ESCAPED ' + got : 'inside'`,
      ends: ['result', THREW],
      calls: true,
    },
    {
      name: 'Symbol.species',
      code: `class A extends Array { static get [Symbol.species]() { return function () { return globalThis } } } try { return typeof new A(1, 2, 3).map((x) => x).process } catch { return 'refused' }`,
      ends: ['result', NOT_JSON, THREW],
    },
    {
      name: 'thenable result',
      code: `return { then(resolve) { resolve(typeof process === 'undefined' ? 'inside' : 'ESCAPED') } }`,
      ends: ['result'],
    },
    {
      name: 'Error.prototype polluted',
      code: `Error.prototype.toString = () => { throw 1 }; Object.defineProperty(Error.prototype, 'message', { get() { throw 2 } }); throw new Error('x')`,
      ends: [THREW],
    },
    {
      name: 'JSON replaced',
      code: `JSON.stringify = () => 'PLANTED'; JSON.parse = () => 'PLANTED'; return await tools.a.b({ a: 1 })`,
      ends: ['result'],
      calls: true,
    },
    {
      name: 'String and Array methods replaced',
      code: `for (const P of [String.prototype, Array.prototype]) for (const k of Object.getOwnPropertyNames(P)) if (k !== 'constructor' && k !== 'length') P[k] = () => 'PLANTED'; console.log('a', {}); throw new TypeError('boo')`,
      ends: [THREW],
    },
    {
      name: 'WeakMap replaced',
      code: `WeakMap.prototype.get = () => 0; WeakMap.prototype.set = function (k, v) { globalThis.got = [k, v] }; try { await tools.a.b() } catch (e) { if (globalThis.got) return 'ESCAPED'; throw e }`,
      ends: [DENIED],
    },
  ],
  'host introspection': [
    {
      name: 'names of the host',
      code: `const names = ['process', 'require', 'module', 'exports', '__dirname', '__filename', 'Buffer', 'global', 'fetch', 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'structuredClone', 'performance', 'URL', 'TextEncoder', 'Worker', 'MessageChannel', 'navigator', 'crypto', 'Deno', 'Bun', '$0', 'emit', 'prelude']; return names.filter((n) => { try { return eval('typeof ' + n) !== 'undefined' } catch { return false } }).map((n) => 'ESCAPED ' + n)`,
      ends: ['result'],
    },
    {
      name: 'call sites by prepareStackTrace',
      code: `Error.prepareStackTrace = (_, sites) => sites.map((s) => [s.getFileName(), s.getFunction && typeof s.getFunction(), typeof s.getThis()]); const s = new Error().stack; return JSON.stringify(s).includes('/') || JSON.stringify(s.filter((x) => x[0] === 'sandbox')).includes('object') ? 'ESCAPED ' + JSON.stringify(s) : 'inside'`,
      ends: ['result'],
    },
    {
      name: 'functions of the prelude by call sites',
      code: `let fns = []; Error.prepareStackTrace = (_, sites) => { for (const s of sites) { const f = s.getFunction(); if (f) fns.push(String(f)) } return '' }; const probe = { toJSON() { new Error().stack; return 1 } }; console.log(probe); return fns.some((f) => f.includes('emit')) ? 'ESCAPED' : 'inside'`,
      ends: ['result'],
    },
    {
      name: 'a stack without limit',
      code: `Error.stackTraceLimit = Infinity; return /\\/(work|home|usr|tmp|servers)\\//.test(new Error().stack) ? 'ESCAPED' : 'inside'`,
      ends: ['result'],
    },
    {
      name: 'stack of a rejected call',
      code: `try { await tools.a.b() } catch (e) { return /\\.ts|\\.js:|node:/.test(e.stack.replace(/code\\.js/g, '')) ? 'ESCAPED ' + e.stack : 'inside' }`,
      ends: ['result'],
    },
    {
      name: 'source of the functions it was given',
      code: `return [String(console.log), String(tools.a.b)].some((s) => s.includes('/work') || s.includes('ivm')) ? 'ESCAPED' : 'inside'`,
      ends: ['result'],
    },
    { name: 'debugger', code: `debugger; return 'inside'`, ends: ['result'] },
    { name: 'import.meta', code: `return import.meta.url`, ends: [SYNTAX] },
    { name: 'new.target and arguments', code: `return [new.target === undefined, arguments.length]`, ends: ['result'] },
    { name: 'sourceURL of its own', code: `throw new Error('x')\n//# sourceURL=/etc/passwd`, ends: [THREW] },
    {
      name: 'Intl tells no path',
      code: `return Object.keys(Intl.DateTimeFormat().resolvedOptions()).length > 0`,
      ends: ['result'],
    },
    { name: 'natives syntax', code: `return %GetHeapUsage()`, ends: [SYNTAX] },
    { name: 'HTML comment that hides the end of the code', code: `return 1 <!-- x\n}`, ends: [SYNTAX] },
    {
      name: 'a body that closes its function',
      code: `} , (() => { globalThis.stolen = 1 })(), async function () {`,
      ends: [SYNTAX],
    },
    {
      name: 'TypeScript that unwraps its function',
      code: `return 1 }\nasync function more() { return 'ESCAPED'`,
      ends: ['result', SYNTAX],
      language: 'typescript',
    },
  ],
  'leaked handles': [
    {
      name: 'anything reachable that looks like a handle',
      code: `${WALK} return bad.filter((b) => b !== 'dispose').length ? 'ESCAPED ' + bad : 'inside ' + (seen.size > 500)`,
      ends: ['result'],
    },
    {
      name: 'fields and symbols of the functions it was given',
      code: `const f = [console.log, tools.a.b]; return f.flatMap((x) => Reflect.ownKeys(x)).some((k) => typeof k === 'symbol') ? 'ESCAPED' : 'inside'`,
      ends: ['result'],
    },
    {
      name: 'the target of the tools proxy',
      code: `return [Object.getPrototypeOf(tools), Reflect.ownKeys(tools), Object.getOwnPropertyDescriptor(tools, 'a') ?? null]`,
      ends: ['result'],
    },
    {
      name: 'changing the tools proxy',
      code: `try { tools.data = 1 } catch {} ; try { Object.setPrototypeOf(tools, { x: 1 }) } catch {} ; try { Object.defineProperty(tools, 'x', { value: 1 }) } catch {} ; return Reflect.ownKeys(tools)`,
      ends: ['result'],
    },
    {
      name: 'console can not be changed for the host',
      code: `try { console.log = () => 'PLANTED' } catch {} ; console.log('still'); return Object.isFrozen(console)`,
      ends: ['result'],
    },
    {
      name: 'handle as an argument of a tool',
      code: `return await tools.a.b({ f: () => 1, p: Promise.resolve(1), s: Symbol('x'), g: globalThis.console })`,
      ends: ['result'],
      calls: true,
    },
    {
      name: 'ownership of a promise',
      code: `const p = tools.a.b({}); return Reflect.ownKeys(p).length`,
      ends: ['result'],
      calls: true,
    },
    {
      name: 'name of a tool that is an object',
      code: `return await tools[{ toString() { return 'a' } }].b({})`,
      ends: ['result'],
      calls: true,
    },
    { name: 'name of a tool with a path in it', code: `return await tools['../data'].get_record({})`, ends: [DENIED] },
    { name: 'tool named __proto__', code: `return await tools.__proto__.constructor({})`, ends: [DENIED] },
  ],
  CPU: [
    { name: 'while (true)', code: 'while (true) {}', ends: [WALL] },
    {
      name: 'microtask loop',
      code: 'const f = () => Promise.resolve().then(f); f(); await new Promise(() => {})',
      // Each promise waits for the next: none is ever free, so a fast machine fills the heap before the clock ends it.
      ends: [WALL, HEAP],
    },
    { name: 'async loop', code: 'while (true) await null', ends: [WALL] },
    { name: 'loop after a call was answered', code: 'await tools.a.b({}); while (true) {}', ends: [WALL], calls: true },
    {
      name: 'loop left running after the result',
      code: '(async () => { await 0; await 0; while (true) {} })(); return 1',
      ends: [WALL],
    },
    { name: 'loop in finally', code: 'try { return 1 } finally { while (true) {} }', ends: [WALL] },
    {
      name: 'loop that catches its termination',
      code: 'while (true) { try { while (true) {} } catch {} finally { continue } }',
      ends: [WALL],
    },
    { name: 'regular expression', code: `/^(a+)+$/.test('a'.repeat(40) + 'b'); return 1`, ends: [WALL] },
    {
      name: 'native sort with a slow comparison',
      code: 'Array.from({ length: 1e6 }, (_, i) => i).sort(() => { let x = 0; for (let i = 0; i < 1e5; i++) x += i; return x % 3 - 1 })',
      ends: [WALL],
    },
    {
      name: 'species loop',
      code: 'class A extends Array { static get [Symbol.species]() { while (true) {} } } new A(1, 2).map((x) => x)',
      ends: [WALL],
    },
    { name: 'Intl loop', code: `while (true) new Intl.NumberFormat('de').format(1e21)`, ends: [WALL, CPU, RSS, HEAP] },
    {
      name: 'generator without end',
      code: `return [...(function* () { while (true) yield 1 })()].length`,
      ends: MEMORY,
    },
    {
      name: 'JSON.parse of much',
      code: `const s = '[' + '1,'.repeat(3e5) + '1]'; while (true) JSON.parse(s)`,
      ends: [WALL, CPU, ...MEMORY],
    },
    { name: 'CPU before the wall', code: 'while (true) {}', ends: [CPU], limits: { cpu_ms: 100, wall_ms: 5_000 } },
    { name: 'recursion', code: 'const f = () => f() + 1; return f()', ends: [THREW] },
    {
      name: 'recursion through a Proxy',
      code: 'const p = new Proxy({}, { get: (t, k, r) => r[k] }); return p.x',
      ends: [THREW],
    },
    {
      name: 'eval of a deep expression',
      code: `return eval('('.repeat(1e5) + ')'.repeat(1e5))`,
      ends: [THREW, ...MEMORY],
    },
  ],
  'native code that can not be interrupted': [
    {
      name: 'BigInt that squares itself',
      code: 'let x = 3n; while (true) x = x ** 2n',
      ends: [WALL, CPU, CRASHED, THREW, RSS],
    },
    {
      name: 'BigInt to text',
      code: 'return (1n << (1n << 29n)).toString().length',
      ends: [WALL, CPU, CRASHED, THREW, RSS, HEAP],
    },
    { name: 'a huge array filled', code: 'return new Array(1e9).fill(0).length', ends: MEMORY },
    { name: 'a huge array joined', code: 'return new Array(2 ** 28).join("x").length', ends: [...MEMORY, 'result'] },
    { name: 'split of a huge string', code: 'return "x".repeat(2 ** 28).split("").length', ends: MEMORY },
    {
      name: 'replace of a huge string',
      code: 'return "x".repeat(2 ** 27).replace(/x/g, "yy").length',
      ends: [...MEMORY, 'result'],
    },
    {
      name: 'padEnd again and again',
      code: 'let s = "x"; while (true) s = s.padEnd(2 ** 28, s).normalize("NFD").toUpperCase()',
      ends: MEMORY,
    },
    {
      name: 'sort of a sparse array',
      code: 'const a = []; a[2 ** 32 - 2] = 1; a.sort(); return a.length',
      ends: [...MEMORY, 'result'],
    },
    {
      name: 'indexOf over holes',
      code: 'const a = []; a.length = 2 ** 32 - 1; return a.indexOf(1)',
      ends: [...MEMORY, 'result'],
    },
    {
      name: 'localeCompare of long strings',
      code: 'const s = "a\\u0301".repeat(2e6); while (true) s.localeCompare(s + "x")',
      ends: [WALL, CPU, ...MEMORY],
    },
  ],
  'marshalling of errors and results': [
    { name: 'message that never ends', code: 'throw { get message() { while (true) {} } }', ends: [WALL] },
    {
      name: 'stack that never ends',
      code: `const e = new Error('x'); Object.defineProperty(e, 'stack', { get() { while (true) {} } }); throw e`,
      ends: [WALL],
    },
    {
      name: 'name that never ends',
      code: `const e = new Error('x'); Object.defineProperty(e, 'name', { get() { while (true) {} } }); throw e`,
      ends: [WALL],
    },
    {
      name: 'Proxy thrown',
      code: 'throw new Proxy({}, { get() { while (true) {} }, getPrototypeOf() { while (true) {} } })',
      ends: [WALL],
    },
    {
      name: 'revoked Proxy thrown',
      code: 'const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); throw proxy',
      ends: [THREW],
    },
    { name: 'Proxy returned', code: 'return new Proxy([], { get() { while (true) {} } })', ends: [WALL] },
    {
      name: 'revoked Proxy returned',
      code: 'const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy',
      ends: [THREW, NOT_JSON],
    },
    { name: 'toJSON that never ends', code: 'return { toJSON() { while (true) {} } }', ends: [WALL] },
    {
      name: 'toJSON that grows',
      code: 'let n = 0; const grow = () => ({ toJSON: () => ({ a: grow() }) }); return grow()',
      ends: [NOT_JSON, ...MEMORY],
    },
    { name: 'then that never settles', code: 'return { then() {} }', ends: [WALL] },
    { name: 'then that throws', code: 'return { then() { throw 1 } }', ends: [THREW] },
    { name: 'huge result', code: `return 'x'.repeat(2e6)`, ends: [RESULT] },
    { name: 'huge result of few characters', code: `return '\\u20ac'.repeat(5e5)`, ends: [RESULT] },
    { name: 'huge error', code: `throw new Error('x'.repeat(1e7))`, ends: [THREW] },
    { name: 'huge stack', code: `const e = new Error('x'); e.stack = 'y'.repeat(1e7); throw e`, ends: [THREW] },
    {
      name: 'stack that looks like ours',
      code: `const e = new Error('x'); e.stack = '    at a (code.js:' + '9'.repeat(5000) + ':1)\\n'.repeat(500); throw e`,
      ends: [THREW],
    },
    { name: 'error with NUL and half a surrogate pair', code: `throw new Error('a\\u0000b\\ud800')`, ends: [THREW] },
    { name: 'cycle', code: 'const a = {}; a.a = a; return a', ends: [NOT_JSON] },
    { name: 'BigInt', code: 'return 1n', ends: [NOT_JSON] },
    { name: 'symbol thrown', code: `throw Symbol('x')`, ends: [THREW] },
    { name: 'null thrown', code: 'throw null', ends: [THREW] },
    {
      name: 'deep result',
      code: 'let a = []; for (let i = 0; i < 1e5; i++) a = [a]; return a',
      ends: [NOT_JSON, RESULT, THREW, WALL],
    },
    {
      name: '__proto__ in the result',
      code: `return JSON.parse('{"__proto__": {"polluted": true}}')`,
      ends: ['result'],
    },
    {
      name: 'a result that forges the end of a frame',
      code: `return '\\u0000\\u0000\\u0000\\u0010{"t":"ready"}'`,
      ends: ['result'],
    },
    {
      name: 'a forged host error',
      code: `const e = new Error('no'); e.number = 'E0002'; e.code = 'UNAUTHENTICATED'; throw e`,
      ends: [THREW],
    },
    { name: 'rejection that nobody handles', code: `Promise.reject(new Error('lost')); return 1`, ends: ['result'] },
    {
      name: 'unhandled rejection with a message that never ends',
      code: 'Promise.reject({ get message() { while (true) {} } }); return 1',
      ends: [WALL],
    },
    {
      name: 'unhandled rejection before a call',
      code: 'Promise.reject(1); return await tools.a.b({})',
      ends: ['result'],
      calls: true,
    },
  ],
  'memory that is counted': [
    { name: 'array', code: 'const a = []; while (true) a.push(new Array(1e5).fill(1))', ends: MEMORY },
    { name: 'strings', code: 'const a = []; let i = 0; while (true) a.push(("x" + i++).repeat(1e4))', ends: MEMORY },
    { name: 'Map', code: 'const m = new Map(); let i = 0; while (true) m.set(i++, { i })', ends: MEMORY },
    {
      name: 'closures',
      code: 'let f = () => 1; while (true) { const g = f; const big = new Array(1000).fill(1); f = () => [g, big] }',
      ends: MEMORY,
    },
    {
      name: 'after a call was answered',
      code: 'await tools.a.b({}); const a = []; while (true) a.push(new Array(1e5).fill(1))',
      ends: MEMORY,
      calls: true,
    },
    { name: 'promises', code: 'const a = []; while (true) a.push(new Promise(() => {}))', ends: MEMORY },
    { name: 'array buffers', code: 'const a = []; while (true) a.push(new Uint8Array(1e6).fill(1))', ends: MEMORY },
    { name: 'shapes and names', code: 'const o = {}; let i = 0; while (true) o["key" + i++] = i', ends: MEMORY },
    {
      name: 'error that catches the end of its memory',
      code: 'const a = []; while (true) { try { a.push(new Array(1e6).fill(1)) } catch {} }',
      ends: MEMORY,
    },
    {
      name: 'generated functions',
      code: 'const a = []; let i = 0; while (true) a.push(new Function("return " + i++))',
      ends: MEMORY,
    },
    {
      name: 'regular expressions',
      code: 'const a = []; let i = 0; while (true) { const r = new RegExp("a" + i++ + "(b|c)*d"); r.test("abd"); a.push(r) }',
      ends: MEMORY,
    },
  ],
  'memory that is not counted': [
    {
      name: 'resizable buffer',
      code: 'const b = new ArrayBuffer(1, { maxByteLength: 8e9 }); b.resize(6e9); new Uint8Array(b).fill(1); return 1',
      ends: MEMORY,
    },
    {
      name: 'many resizable buffers',
      code: 'const a = []; for (let i = 0; i < 500; i++) { const b = new ArrayBuffer(2e7, { maxByteLength: 2e7 }); new Uint8Array(b).fill(1); a.push(b) } return 1',
      ends: MEMORY,
    },
    { name: 'one big buffer', code: 'return new Uint8Array(1e10).fill(1).length', ends: MEMORY },
    {
      name: 'Intl formatters',
      code: `const a = []; while (true) a.push(new Intl.DateTimeFormat('de', { dateStyle: 'full' }), new Intl.NumberFormat('ja'))`,
      ends: MEMORY,
    },
    {
      name: 'external strings',
      code: `const a = []; while (true) a.push('x'.repeat(1e7).normalize('NFC') + a.length)`,
      ends: MEMORY,
    },
    { name: 'a result of 128 MB', code: `return 'x'.repeat(2 ** 27)`, ends: [RESULT, ...MEMORY] },
    { name: 'an error of 128 MB', code: `throw 'x'.repeat(2 ** 27)`, ends: [THREW, ...MEMORY] },
    {
      name: 'arguments of 128 MB',
      code: `await tools.a.b('x'.repeat(2 ** 27))`,
      ends: [BYTES, ...MEMORY],
      calls: true,
    },
    { name: 'a line of 128 MB', code: `console.log('x'.repeat(2 ** 27))`, ends: [LOG, ...MEMORY] },
  ],
  'never settling': [
    { name: 'a promise nobody settles', code: 'await new Promise(() => {})', ends: [WALL] },
    { name: 'a race of nothing', code: 'await Promise.race([])', ends: [WALL] },
    {
      name: 'an async iterator without end',
      code: 'for await (const x of { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) }) return x',
      ends: [WALL],
    },
    { name: 'the end of a call that never comes', code: 'await tools.never.ends({})', ends: [WALL], calls: true },
  ],
  'floods of the host': [
    {
      name: 'calls without end',
      code: 'while (true) await tools.a.b({})',
      ends: [CALLS],
      calls: true,
      limits: { host_calls: 50, wall_ms: 5_000 },
    },
    {
      name: 'calls at once',
      code: 'for (let i = 0; i < 1e7; i++) tools.a.b({ i }).catch(() => {})',
      ends: [OPEN_CALLS],
      calls: true,
      limits: { wall_ms: 5_000 },
    },
    {
      name: 'denied calls without end',
      code: 'while (true) try { await tools.a.b({}) } catch {}',
      ends: [CALLS],
      limits: { host_calls: 50, wall_ms: 5_000 },
    },
    {
      name: 'calls that catch their limit',
      code: 'while (true) { try { tools.a.b({}) } catch {} }',
      ends: [OPEN_CALLS, CALLS],
      calls: true,
    },
    {
      name: 'calls with much',
      code: `while (true) await tools.a.b({ s: 'x'.repeat(1e6) })`,
      ends: [BYTES],
      calls: true,
      limits: { wall_ms: 5_000 },
    },
    { name: 'arguments that are no JSON', code: 'await tools.a.b(() => 1)', ends: [THREW], calls: true },
    {
      name: 'arguments with a getter that never ends',
      code: 'await tools.a.b({ get x() { while (true) {} } })',
      ends: [WALL],
      calls: true,
    },
    { name: 'logs without end', code: 'while (true) console.log("x".repeat(100))', ends: [LOG] },
    { name: 'empty lines without end', code: 'while (true) console.log()', ends: [LOG] },
    { name: 'logs of things that never end', code: 'console.log({ toJSON() { while (true) {} } })', ends: [WALL] },
    {
      name: 'logs of a Proxy that never ends',
      code: 'console.log(new Proxy({}, { getPrototypeOf() { while (true) {} } }))',
      ends: [WALL],
    },
    {
      name: 'a name of a tool that is huge',
      code: `await tools['x'.repeat(1e6)]['y'.repeat(1e6)]({})`,
      ends: [DENIED],
    },
  ],
  'WASM, shared memory, references': [
    ...['WebAssembly', 'SharedArrayBuffer', 'Atomics', 'FinalizationRegistry', 'WeakRef', 'ShadowRealm', 'gc'].map(
      (name) => ({
        name: `${name} is gone`,
        code: `return typeof globalThis.${name} === 'undefined' && !(${JSON.stringify(name)} in globalThis) ? 'inside' : 'ESCAPED'`,
        ends: ['result'],
      }),
    ),
    {
      name: 'WebAssembly by another way',
      code: `for (const f of [Function, (async () => {}).constructor]) { const r = f('return typeof WebAssembly')(); if ((await r) !== 'undefined') return 'ESCAPED' } return 'inside'`,
      ends: ['result'],
    },
    {
      name: 'a growable shared buffer from a typed array',
      code: `return Int8Array.from([1]).buffer.constructor.name === 'ArrayBuffer' ? 'inside' : 'ESCAPED'`,
      ends: ['result'],
    },
    {
      name: 'a host that waits',
      code: `return typeof Atomics === 'undefined' ? 'inside' : Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)`,
      ends: ['result'],
    },
  ],
  'loading of modules': [
    {
      name: 'import of a module of node',
      code: `try { return 'ESCAPED ' + typeof (await import('node:fs')).readFileSync } catch (e) { return 'refused' }`,
      ends: ['result'],
    },
    {
      name: 'import of a file',
      code: `try { await import('/etc/passwd'); return 'ESCAPED' } catch { return 'refused' }`,
      ends: ['result'],
    },
    {
      name: 'import of data',
      code: `try { await import('data:text/javascript,export default 1'); return 'ESCAPED' } catch { return 'refused' }`,
      ends: ['result'],
    },
    { name: 'static import', code: `import fs from 'fs'; return fs`, ends: [SYNTAX] },
    { name: 'require', code: `return typeof require === 'undefined' ? 'inside' : 'ESCAPED'`, ends: ['result'] },
    {
      name: 'import inside eval',
      code: `try { await eval("import('fs')"); return 'ESCAPED' } catch { return 'refused' }`,
      ends: ['result'],
    },
    {
      name: 'importScripts',
      code: `return typeof importScripts === 'undefined' ? 'inside' : 'ESCAPED'`,
      ends: ['result'],
    },
  ],
  timers: [
    {
      name: 'setTimeout',
      code: `return ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'requestAnimationFrame'].filter((n) => typeof globalThis[n] !== 'undefined').map((n) => 'ESCAPED ' + n)`,
      ends: ['result'],
    },
    {
      name: 'busy waiting past the limit',
      code: 'const end = Date.now() + 60_000; while (Date.now() < end) {} return 1',
      ends: [WALL],
    },
    {
      name: 'a clock set back',
      code: 'Date.now = () => 0; const end = 1; while (Date.now() < end) {} return 1',
      ends: [WALL],
    },
  ],
}

export const hostilePrograms: readonly (HostileProgram & { class: string })[] = Object.entries(all).flatMap(
  ([group, programs]) => programs.map((program) => ({ ...program, class: group })),
)
