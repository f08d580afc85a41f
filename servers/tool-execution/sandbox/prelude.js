// Runs inside every isolate before the code of the caller: isolate.ts evaluates this text in strict mode and calls it with
// `emit`, the one host function there is. User code shares this realm and may change any prototype, so after setup nothing
// here calls a method: what is needed was taken before, lists are walked by index, objects have no prototype. Only
// primitives reach `emit`.

// biome-ignore lint/correctness/noUnusedVariables: the text that isolate.ts puts behind it calls it
function prelude(emit) {
  const { parse, stringify } = JSON
  const { apply, construct, defineProperty } = Reflect
  const NativeDate = Date
  const { freeze } = Object
  const text = String
  const NativeError = Error
  const NativeTypeError = TypeError
  const NativePromise = Promise
  const NativeProxy = Proxy
  const { slice } = String.prototype
  const { then: promiseThen } = NativePromise.prototype
  const { toPrimitive } = Symbol
  const { get: weakGet, set: weakSet } = WeakMap.prototype
  const callErrors = new WeakMap()
  const AsyncFunction = (async () => {}).constructor

  const unwanted = [
    'WebAssembly',
    'SharedArrayBuffer',
    'Atomics',
    'FinalizationRegistry',
    'WeakRef',
    'console',
    'ShadowRealm',
    'gc',
    'Temporal',
  ]
  for (let i = 0; i < unwanted.length; i++) delete globalThis[unwanted[i]]

  const waiting = { __proto__: null }
  let max = { __proto__: null }
  let stopped = false
  let logged = 0
  let calls = 0
  let open = 0
  let moved = 0

  function cut(value, length) {
    return value.length > length ? apply(slice, value, [0, length]) : value
  }

  // Ends the run: the sandbox process disposes the isolate when it hears of it. Until then nothing more leaves.
  function trip(limit) {
    if (!stopped) emit('trip', 0, '', limit)
    stopped = true
    throw new NativeError('a limit of this run is reached')
  }

  function show(value) {
    if (typeof value === 'string') return value
    try {
      if (value instanceof NativeError) return text(value.stack)
      if (typeof value === 'object' && value !== null) return text(stringify(value))
      return text(value)
    } catch {
      return '[not printable]'
    }
  }

  function writer(level) {
    return (...values) => {
      if (stopped) return
      let line = ''
      for (let i = 0; i < values.length; i++) line += i === 0 ? show(values[i]) : ` ${show(values[i])}`
      // An empty line costs too, or a loop of them would flood the host.
      logged += line.length + 16
      if (logged > max.log_bytes) trip('log_bytes')
      emit('log', 0, line, level)
    }
  }

  function callTool(name, args) {
    if (stopped) throw new NativeError('the run is over')
    const json = args === undefined ? '{}' : stringify(args)
    if (typeof json !== 'string') throw new NativeTypeError('the arguments of a tool must be JSON')
    const index = calls
    calls += 1
    moved += json.length
    if (calls > max.host_calls) trip('host_calls')
    if (open >= max.concurrent_host_calls) trip('concurrent_host_calls')
    if (moved > max.host_bytes) trip('host_bytes')
    open += 1
    return new NativePromise((resolve, reject) => {
      waiting[index] = { __proto__: null, resolve, reject }
      emit('call', index, json, name)
    })
  }

  // A run that may be repeated reads the time of the last answer it got, and random numbers that its key decides.
  let clock = 0
  function repeatable(now, seed) {
    clock = now
    function RunDate(...args) {
      if (new.target === undefined) return text(new NativeDate(clock))
      return construct(NativeDate, args.length === 0 ? [clock] : args, new.target)
    }
    const { prototype, parse: parseDate, UTC } = NativeDate
    RunDate.prototype = prototype
    RunDate.now = () => clock
    RunDate.parse = parseDate
    RunDate.UTC = UTC
    defineProperty(RunDate, 'name', { __proto__: null, value: 'Date' })
    defineProperty(prototype, 'constructor', { __proto__: null, value: RunDate })
    globalThis.Date = RunDate
    let a = seed[0]
    let b = seed[1]
    let c = seed[2]
    let d = seed[3]
    // sfc32, of PractRand: small, fast, passes its tests.
    globalThis.Math.random = () => {
      const sum = (a + b + d) | 0
      d = (d + 1) | 0
      a = b ^ (b >>> 9)
      b = (c + (c << 3)) | 0
      c = ((c << 21) | (c >>> 11)) + sum
      c = c | 0
      return (sum >>> 0) / 4294967296
    }
    // A formatter that is given no time takes the real one.
    delete globalThis.Intl
  }

  function answer(index, ok, json, at) {
    const call = waiting[index]
    if (call === undefined || stopped) return
    delete waiting[index]
    open -= 1
    if (at !== '') clock = +at
    moved += json.length
    if (moved > max.host_bytes) trip('host_bytes')
    if (ok) return call.resolve(parse(json))
    const body = parse(json)
    const error = new NativeError(body.message)
    for (const field in body) {
      defineProperty(error, field, {
        __proto__: null,
        value: body[field],
        enumerable: field !== 'message',
        writable: true,
        configurable: true,
      })
    }
    apply(weakSet, callErrors, [error, index])
    call.reject(error)
  }

  // `tools.<server>.<tool>(args)`: any name can be said; the host decides whether the call is granted.
  function names(path) {
    return new NativeProxy(freeze({ __proto__: null }), {
      __proto__: null,
      get(_target, key) {
        if (typeof key !== 'string' || key === 'then' || key === 'toJSON') return undefined
        if (path === '') return names(cut(key, 100))
        const name = `${path}.${cut(key, 100)}`
        return async (args) => callTool(name, args)
      },
    })
  }

  // `secrets.<name>` stands for a header's value; read as text it is a call that the host denies and records.
  function secretNames() {
    return new NativeProxy(freeze({ __proto__: null }), {
      __proto__: null,
      get(_target, key) {
        if (typeof key !== 'string' || key === 'then' || key === 'toJSON') return undefined
        const name = cut(key, 200)
        const read = () => {
          apply(promiseThen, callTool('@secrets.read', { __proto__: null, name }), [undefined, () => {}])
          throw new NativeTypeError(`the secret ${name} is never text: give secrets.${name} as a header of http.fetch`)
        }
        const secret = { __proto__: null, secret: name }
        defineProperty(secret, toPrimitive, { __proto__: null, value: read })
        return freeze(secret)
      },
    })
  }

  // Missing arguments are the host's to name.
  function fetchHttp(url, options) {
    return callTool('@http.fetch', { url, ...options })
  }

  function describe(thrown) {
    const shown = { __proto__: null, name: 'Error', message: '', stack: '', call: -1 }
    try {
      if (typeof thrown === 'object' && thrown !== null) {
        const call = apply(weakGet, callErrors, [thrown])
        if (typeof call === 'number') shown.call = call
      }
      if (thrown instanceof NativeError) {
        shown.name = cut(text(thrown.name), 100)
        shown.message = cut(text(thrown.message), 2000)
        shown.stack = cut(text(thrown.stack), 8000)
      } else {
        shown.message = cut(show(thrown), 2000)
      }
    } catch {
      shown.message = shown.message || '[not printable]'
    }
    return stringify(shown)
  }

  function settle(value) {
    let json = 'null'
    try {
      if (value !== undefined) json = stringify(value)
    } catch (error) {
      return finish('not_json', describe(error))
    }
    if (typeof json !== 'string')
      return finish('not_json', stringify({ __proto__: null, message: `a ${typeof value}` }))
    if (json.length > max.result_bytes) trip('result_bytes')
    finish('result', json)
  }

  function finish(end, body) {
    if (!stopped) emit('end', 0, body, end)
    stopped = true
  }

  async function run(main, input) {
    let value
    try {
      value = await main(input, names(''))
    } catch (error) {
      return finish('threw', describe(error))
    }
    settle(value)
  }

  globalThis.console = freeze({
    __proto__: null,
    log: writer('log'),
    info: writer('info'),
    warn: writer('warn'),
    error: writer('error'),
    debug: writer('debug'),
  })

  // What is not granted is there too: the host denies it, with a word on how it is granted.
  globalThis.http = freeze({ __proto__: null, fetch: async (url, options) => fetchHttp(url, options) })
  globalThis.storage = freeze({
    __proto__: null,
    get: async (key) => callTool('@storage.get', { __proto__: null, key }),
    set: async (key, value) => callTool('@storage.set', { __proto__: null, key, value }),
    delete: async (key) => callTool('@storage.delete', { __proto__: null, key }),
    list: async (prefix, after) => callTool('@storage.list', { __proto__: null, prefix, after }),
  })
  globalThis.secrets = secretNames()

  // The only entry: the host calls it through a Reference that it alone holds.
  return (what, index, ok, body, extra) => {
    if (what === 'answer') return void answer(index, ok, body, extra)
    max = freeze(parse(extra))
    if (max.seed !== undefined) repeatable(max.clock, max.seed)
    let main
    try {
      main = new AsyncFunction('input', 'tools', `${body}\n//# sourceURL=code.js`)
    } catch (error) {
      return finish('syntax', describe(error))
    }
    if (what === 'check') return finish('result', 'null')
    void run(main, parse(ok))
  }
}
