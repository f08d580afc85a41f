import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { copyFile, cp, mkdir, readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { type Apt, openApt } from './apt.ts'
import { buildCached, cached } from './service-cache.ts'

const exec = promisify(execFile)

/** The suite whose pgvector source compiles for PostgreSQL 15 to 17; Debian 12 itself has no pgvector package. */
const PGVECTOR_SUITE = 'trixie'
/** Vectorised distance loops, as the extension's own Makefile asks for. */
const CFLAGS = '-O2 -ftree-vectorize -fassociative-math -fno-signed-zeros -fno-trapping-math -fPIC -shared'.split(' ')
/** Only for just-in-time compilation and for managing clusters system-wide; together they are half of the download. */
const NOT_NEEDED = /^(libllvm|postgresql-common|postgresql-client-common|ssl-cert|perl|libperl|libjson-perl|sysstat)/

export interface PostgresTree {
  /** Directory with `postgres` and `initdb`. */
  bin: string
  /** For LD_LIBRARY_PATH: libraries this machine doesn't have. */
  libraries: string
  /** `15` to `17`, and what pgvector says of itself. */
  major: number
  pgvector: string
}

/** A private PostgreSQL with pgvector: from the cache, or made from this machine's binaries or its Debian mirror (about 20 s). */
export async function postgresTree(log: (line: string) => void): Promise<PostgresTree> {
  const local = await localPostgres()
  const prefix = `postgres-${process.arch}-${local ? local.version : 'debian'}-`
  const found = await cached(prefix)
  if (found) return describe(found)
  log(`preparing PostgreSQL with pgvector (${local ? `from ${local.bin}` : 'from Debian packages'}), once`)
  const made = await buildCached(async (entry, scratch) => {
    const apt = await openApt(scratch)
    const usr = path.join(entry, 'usr')
    const major = local ? await copyLocal(local, usr) : await download(apt, entry)
    const pgvector = await addPgvector(apt, major, usr, scratch)
    return `${prefix}${local ? '' : `${major}-`}pgvector-${pgvector}`
  })
  return describe(made)
}

interface LocalPostgres {
  bin: string
  major: number
  version: string
}

/** Debian's layout only: its trees can be moved, because lib and share stay side by side. The oldest supported version. */
async function localPostgres(): Promise<LocalPostgres | undefined> {
  const root = '/usr/lib/postgresql'
  if (!existsSync(root)) return undefined
  const majors = (await readdir(root)).map(Number).filter((major) => major >= 15 && major <= 17)
  for (const major of majors.sort((a, b) => a - b)) {
    const bin = `${root}/${major}/bin`
    if (!existsSync(`${bin}/postgres`) || !existsSync(`${bin}/initdb`)) continue
    const { stdout } = await exec(`${bin}/postgres`, ['--version'])
    return { bin, major, version: /\d+\.\d+/.exec(stdout)?.[0] ?? String(major) }
  }
  return undefined
}

async function copyLocal(local: LocalPostgres, usr: string): Promise<number> {
  for (const kind of ['lib', 'share']) {
    const from = `/usr/${kind}/postgresql/${local.major}`
    // 48 MB; the bitcode and man pages (another 60 MB) are of no use here.
    const filter = (source: string) => !/\/(bitcode|man)$/.test(source)
    await cp(from, `${usr}/${kind}/postgresql/${local.major}`, { recursive: true, dereference: true, filter })
  }
  return local.major
}

async function download(apt: Apt, entry: string): Promise<number> {
  const packages = (await apt.missing(['postgresql'])).filter((name) => !NOT_NEEDED.test(name))
  const major = packages.map((name) => Number(/^postgresql-(\d+)$/.exec(name)?.[1])).find((version) => version >= 15)
  if (!major) throw new Error('the package sources of this machine offer no PostgreSQL 15 or newer')
  await apt.unpack(
    packages.filter((name) => name !== 'postgresql'),
    entry,
  )
  return major
}

/** The distribution's own package where it has one, else its source compiled by one call; returns the version. */
async function addPgvector(apt: Apt, major: number, usr: string, scratch: string): Promise<string> {
  const lib = `${usr}/lib/postgresql/${major}/lib`
  const extension = `${usr}/share/postgresql/${major}/extension`
  const ready = `postgresql-${major}-pgvector`
  const packaged = await apt.missing([ready]).then(
    (names) => names.includes(ready),
    () => false,
  )
  if (packaged) {
    await apt.unpack([ready], path.dirname(usr))
    return controlVersion(extension)
  }
  const source = await apt.source('pgvector', PGVECTOR_SUITE)
  const headers = path.join(scratch, 'headers')
  await apt.unpack([`postgresql-server-dev-${major}`], headers)
  const files = (await readdir(`${source}/src`)).filter((name) => name.endsWith('.c')).map((name) => `src/${name}`)
  const include = `-I${headers}/usr/include/postgresql/${major}/server`
  const gcc = await compiler(apt, scratch)
  await exec(gcc.command, [...CFLAGS, ...gcc.headers, include, '-o', `${lib}/vector.so`, ...files, ...gcc.libraries], {
    cwd: source,
    env: { ...process.env, ...gcc.env },
  })
  await mkdir(extension, { recursive: true })
  await copyFile(`${source}/vector.control`, `${extension}/vector.control`)
  const version = await controlVersion(extension)
  await copyFile(`${source}/sql/vector.sql`, `${extension}/vector--${version}.sql`)
  return version
}

interface Compiler {
  command: string
  headers: string[]
  libraries: string[]
  env: Record<string, string>
}

/** The machine's gcc, or Debian's unpacked beside the build: its headers, and only its own runtime linked in: the server has the C library. */
async function compiler(apt: Apt, scratch: string): Promise<Compiler> {
  const installed = await exec('gcc', ['--version']).then(
    () => true,
    () => false,
  )
  if (installed) return { command: 'gcc', headers: [], libraries: ['-lm'], env: {} }
  const root = path.join(scratch, 'gcc')
  await apt.unpack(await apt.missing(['gcc', 'libc6-dev']), root)
  const triplet = (await readdir(`${root}/usr/lib`)).find((name) => name.includes('-linux-')) ?? ''
  return {
    command: `${root}/usr/bin/gcc`,
    headers: [`-B${root}/usr/bin`, `-isystem${root}/usr/include`, `-isystem${root}/usr/include/${triplet}`],
    libraries: ['-nostdlib', '-lgcc'],
    env: { LD_LIBRARY_PATH: `${root}/usr/lib/${triplet}`, PATH: `${root}/usr/bin:${process.env['PATH'] ?? ''}` },
  }
}

async function controlVersion(extension: string): Promise<string> {
  const control = await readFile(`${extension}/vector.control`, 'utf8')
  const version = /default_version = '([^']+)'/.exec(control)?.[1]
  if (!version) throw new Error('vector.control names no version')
  return version
}

async function describe(root: string): Promise<PostgresTree> {
  const [major] = await readdir(`${root}/usr/lib/postgresql`)
  const [, pgvector] = root.split('-pgvector-')
  if (!major || !pgvector) throw new Error(`${root} is not a PostgreSQL of ours; remove it`)
  const triplet = (await readdir(`${root}/usr/lib`)).find((name) => name.includes('-linux-'))
  const bin = `${root}/usr/lib/postgresql/${major}/bin`
  return { bin, libraries: triplet ? `${root}/usr/lib/${triplet}` : '', major: Number(major), pgvector }
}
