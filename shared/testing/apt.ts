import { execFile } from 'node:child_process'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'

const execute = promisify(execFile)

/** Runs a program; when it fails, what it said last is what a person needs. */
async function exec(command: string, args: string[], options: { cwd?: string } = {}): Promise<{ stdout: string }> {
  try {
    return await execute(command, args, options)
  } catch (error) {
    const { code, stderr = '' } = error as { code?: unknown; stderr?: string }
    const words = stderr.trim().split('\n').at(-1) || `exit code ${String(code)}`
    throw new Error(`${command} failed: ${words}`, { cause: error })
  }
}

/** Reads Debian packages without changing the machine: lists, cache and downloads are in a directory of our own. */
export interface Apt {
  /** What installing these would add to this machine, dependencies included, by name. */
  missing(packages: string[]): Promise<string[]>
  /** Downloads the packages, and only them, and unpacks them below `into`. */
  unpack(packages: string[], into: string): Promise<void>
  /** Unpacks the upstream source of `name` from another suite of this machine's own mirror; returns its directory. */
  source(name: string, suite: string): Promise<string>
}

/** Fetches the package lists of this machine's own sources (2 to 10 s). Works without root. Rejects where there is no apt. */
export async function openApt(work: string): Promise<Apt> {
  const own = await aptArea(path.join(work, 'apt'))
  await exec('apt-get', [...own, 'update'])
  return {
    async missing(packages) {
      const args = [...own, '-s', '-o', 'Debug::NoLocking=1', '--no-install-recommends', 'install', ...packages]
      const { stdout } = await exec('apt-get', args)
      return [...stdout.matchAll(/^Inst (\S+)/gm)].map((match) => String(match[1]))
    },
    async unpack(packages, into) {
      const debs = path.join(work, `debs-${packages.length}-${Date.now()}`)
      await mkdir(debs, { recursive: true })
      await mkdir(into, { recursive: true })
      await exec('apt-get', [...own, 'download', ...packages], { cwd: debs })
      for (const deb of await readdir(debs)) await exec('dpkg-deb', ['-x', path.join(debs, deb), into])
    },
    source: (name, suite) => fetchSource(work, own, name, suite),
  }
}

async function aptArea(dir: string): Promise<string[]> {
  await mkdir(path.join(dir, 'lists/partial'), { recursive: true })
  await mkdir(path.join(dir, 'cache/archives/partial'), { recursive: true })
  const { stdout } = await exec('id', ['-un'])
  // As root apt would hand its downloads to the user _apt, who can't write here.
  const sandbox = `APT::Sandbox::User=${stdout.trim()}`
  return ['-qq', '-o', `Dir::State::Lists=${dir}/lists`, '-o', `Dir::Cache=${dir}/cache`, '-o', sandbox]
}

async function fetchSource(work: string, own: string[], name: string, suite: string): Promise<string> {
  const list = path.join(work, `${suite}.list`)
  const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'
  await writeFile(list, `deb-src [signed-by=${keyring}] ${await mirror(own)} ${suite} main\n`)
  const area = await aptArea(path.join(work, `apt-${suite}`))
  const only = [...area, '-o', `Dir::Etc::SourceList=${list}`, '-o', 'Dir::Etc::SourceParts=/dev/null']
  await exec('apt-get', [...only, 'update'])
  const dir = path.join(work, `source-${name}`)
  await mkdir(dir, { recursive: true })
  await exec('apt-get', [...only, 'source', '--download-only', name], { cwd: dir })
  const archive = (await readdir(dir)).find((file) => file.includes('.orig.tar.'))
  if (!archive) throw new Error(`the source of ${name} in ${suite} has no original archive`)
  const unpacked = path.join(dir, 'unpacked')
  await mkdir(unpacked)
  await exec('tar', ['xf', path.join(dir, archive), '-C', unpacked, '--strip-components=1'])
  return unpacked
}

/** The address this machine gets its main suite from: no mirror is named in our code. */
async function mirror(own: string[]): Promise<string> {
  const { stdout } = await exec('apt-get', [...own, 'indextargets', '--format', '$(REPO_URI) $(RELEASE) $(COMPONENT)'])
  for (const line of stdout.split('\n')) {
    const [uri, release, component] = line.split(' ')
    if (uri && component === 'main' && release && /^[a-z]+$/.test(release)) return uri
  }
  throw new Error('this machine has no Debian main suite among its package sources')
}
