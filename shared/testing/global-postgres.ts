import { startPostgres } from './postgres.ts'

/** vitest global setup of the `postgres` project: starts a server when none is named yet. */
export default async function setup(): Promise<() => Promise<void>> {
  if (process.env['TEST_DATABASE_URL']) return async () => {}
  const server = await startPostgres({ log: (line) => process.stderr.write(`${line}\n`) })
  process.env['TEST_DATABASE_URL'] = server.url
  return () => server.stop()
}
