import { lockfiles, projectFiles, read } from './source-files.ts'

interface LockEntry {
  version?: string
  resolved?: string
  integrity?: string
  link?: boolean
  hasInstallScript?: boolean
  inBundle?: boolean
}

type Manifest = Record<string, Record<string, string> | undefined>

/** Packages that may run a script when they are installed, each with the reason. */
const INSTALL_SCRIPTS: Record<string, string> = {
  'isolated-vm': 'compiles itself only where its package has no ready binary',
  esbuild: 'looks whether its binary runs; it is a package of its own, in the lockfile',
  fsevents: 'macOS only, optional, ready binary inside',
}

/** The lockfiles pin every package by hash, name no download address, and the manifests name exact versions. */
export function checkLockfile(): string[] {
  return [...lockfiles().flatMap(lockfileFaults), ...projectFiles().filter(isManifest).flatMap(inexactVersions)]
}

function lockfileFaults(file: string): string[] {
  const { packages } = JSON.parse(read(file)) as { packages: Record<string, LockEntry> }
  const faults: string[] = []
  for (const [name, entry] of Object.entries(packages)) {
    if (!name.includes('node_modules/') || entry.link) continue
    if (!entry.integrity && !entry.inBundle) faults.push(`${file}: ${name} has no hash`)
    if (entry.resolved) faults.push(`${file}: ${name} names a download address; npm ci would insist on that host`)
    const short = name.slice(name.lastIndexOf('node_modules/') + 'node_modules/'.length)
    // Peers and referees below test/ are installed without scripts.
    if (entry.hasInstallScript && !INSTALL_SCRIPTS[short] && !file.startsWith('test/'))
      faults.push(`${file}: ${short} runs an install script`)
  }
  return faults
}

function isManifest(file: string): boolean {
  return file === 'package.json' || file.endsWith('/package.json')
}

function inexactVersions(file: string): string[] {
  const manifest = JSON.parse(read(file)) as Manifest
  return ['dependencies', 'devDependencies', 'optionalDependencies'].flatMap((kind) =>
    Object.entries(manifest[kind] ?? {})
      .filter(([, version]) => !/^(npm:@?[\w./-]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
      .map(([name, version]) => `${file}: ${name} ${version} is not an exact version`),
  )
}
