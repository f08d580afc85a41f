import { createRequire } from 'node:module'

interface Disposable {
  dispose(): void
}

interface QuickJS {
  newContext(): Disposable & {
    evalCode(code: string): Disposable
    unwrapResult(result: Disposable): Disposable
    dump(value: Disposable): unknown
  }
}

/** A fresh QuickJS context per run, in this process: no process around it, and no isolation but WebAssembly's. */
export async function quickjsRun(): Promise<() => Promise<void>> {
  const { getQuickJS } = createRequire(import.meta.url)('quickjs-emscripten') as { getQuickJS(): Promise<QuickJS> }
  const quickjs = await getQuickJS()
  return async () => {
    const context = quickjs.newContext()
    const value = context.unwrapResult(context.evalCode('JSON.stringify({ sum: 1 + 1 })'))
    if (context.dump(value) !== '{"sum":2}') throw new Error('QuickJS answered something else')
    value.dispose()
    context.dispose()
  }
}
