import { createHash } from 'node:crypto'
import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { ROOT } from './test-config.ts'

let known: string | undefined

/** Everything that decides how a migrated database looks: the migrations and the code they are made with. */
export function schemaHash(): string {
  known ??= compute()
  return known
}

function compute(): string {
  const hash = createHash('sha256')
  const sources = ['migrations/*.ts', 'shared/{db,data,events,engine,jobs}/**/*.ts', 'package-lock.json']
  const files = globSync(sources, { cwd: ROOT }).filter((file) => !file.endsWith('.test.ts'))
  for (const file of files.sort()) hash.update(file).update(readFileSync(path.join(ROOT, file)))
  return hash.digest('hex').slice(0, 16)
}

/** What an empty embedded database depends on: the packages. */
export function enginesHash(): string {
  return createHash('sha256')
    .update(readFileSync(path.join(ROOT, 'package-lock.json')))
    .digest('hex')
    .slice(0, 16)
}
