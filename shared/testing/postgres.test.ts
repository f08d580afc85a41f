import { execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { startPostgres } from './postgres.ts'
import { postgresTree } from './postgres-tree.ts'

const exec = promisify(execFile)

async function query(url: string, sql: string): Promise<string> {
  const { bin, libraries } = await postgresTree(() => {})
  const { stdout } = await exec(`${bin}/psql`, [url, '-XAtc', sql], { env: { LD_LIBRARY_PATH: libraries } })
  return stdout.trim()
}

test('a private server has pgvector, survives being killed with its data, and is gone after stop', async () => {
  const server = await startPostgres({ own: true })
  await query(server.url, `create extension vector; create table kept as select '[1,2]'::vector v`)
  await server.halt?.('kill')
  await expect(query(server.url, 'select 1')).rejects.toThrow(/refused/)
  await server.resume?.()
  expect(await query(server.url, `select v <-> '[1,3]' from kept`)).toBe('1')
  await server.halt?.('fast')
  await server.resume?.()
  expect(await query(server.url, 'select count(*) from kept')).toBe('1')
  await server.stop()
  await expect(query(server.url, 'select 1')).rejects.toThrow(/refused/)
})

test('it ends, and leaves no file, when the process that started it is killed', async () => {
  const module = path.join(import.meta.dirname, 'postgres.ts')
  const script = `
    const { startPostgres } = await import(${JSON.stringify(module)})
    console.log((await startPostgres({ own: true })).url)
    setInterval(() => {}, 1000)`
  const owner = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const url = await new Promise<string>((resolve) => owner.stdout.once('data', (data) => resolve(String(data).trim())))
  const dir = path.dirname(await query(url, 'show data_directory'))
  expect(existsSync(dir)).toBe(true)
  owner.kill('SIGKILL')
  await expect.poll(() => existsSync(dir), { timeout: 30_000 }).toBe(false)
  await expect(query(url, 'select 1')).rejects.toThrow(/refused/)
})
