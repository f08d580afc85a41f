import { fileURLToPath } from 'node:url'

const FOLDER = fileURLToPath(new URL('../builtin-tools/', import.meta.url))

/**
 * The code of each file of builtin-tools, with the libraries it uses, as the body of an async function for the sandbox, in the order of `files`.
 * The same sources give the same text on every machine.
 */
export async function bundleBuiltins(files: readonly string[]): Promise<string[]> {
  // Only where something is missing: loading it takes a while.
  const { build, stop } = await import('esbuild')
  const bundles = await Promise.all(
    files.map((file) =>
      build({
        stdin: { contents: `export { default } from './${file}'`, resolveDir: FOLDER, loader: 'ts' },
        ...{ bundle: true, minify: true, write: false, legalComments: 'none' },
        ...{ format: 'iife', globalName: 'builtin', footer: { js: 'return builtin.default(input)' } },
        // No program's interface is there: neither that of Node nor that of a browser. papaparse asks for streams in a function nobody calls.
        ...{ platform: 'neutral', mainFields: ['module', 'main'], external: ['stream'], target: 'es2023' },
      }),
    ),
  )
  // Its process is wanted once per version.
  await stop()
  return bundles.map(({ outputFiles }) => outputFiles[0]?.text ?? '')
}
