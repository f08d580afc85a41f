import pg from 'pg'

/** Runs statements that belong to no database of ours (create, clone, drop a database) on a connection of their own. */
export async function onServer<T>(
  url: string,
  fn: (query: (text: string, parameters?: unknown[]) => Promise<Record<string, unknown>[]>) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ connectionString: url, application_name: 'story-portal' })
  client.on('error', () => {})
  await client.connect()
  try {
    return await fn(async (text, parameters) => (await client.query(text, parameters)).rows)
  } finally {
    await client.end()
  }
}
