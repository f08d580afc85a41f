import { globSync, readFileSync } from 'node:fs'
import { lstat, readdir, realpath } from 'node:fs/promises'
import path from 'node:path'
import type { Fault } from '@story-portal/shared/errors'
import { errors, safeText } from '@story-portal/shared/errors'
import { schemaFaults } from '@story-portal/shared/mcp'
import { faults } from '../errors.ts'
import { isWithin } from '../is-within.ts'
import { readMirror } from '../mirror/mirror-folder.ts'
import { parsed } from '../mirror/render.ts'
import { RoleDefinition } from './role-definition.ts'

export type Role = Omit<RoleDefinition, '$schema'> & { name: string; source: 'shipped' | 'project' }

/** A file of a project that is no role, or the whole folder, and what is wrong with it. */
export type FaultyRole = { file: string; faults: Fault[] }

const SHIPPED = path.join(import.meta.dirname, '../roles')
const OWN = '.story-portal/roles'
const MOST_FILES = 50
const NAME = /^[a-z][a-z0-9-]{0,39}\.json$/

let shipped: Map<string, Role> | undefined

/** The roles that come with the platform; read once. */
export function shippedRoles(): Map<string, Role> {
  shipped ??= new Map(
    globSync('*.json', { cwd: SHIPPED })
      .sort()
      .map((file) => {
        const { $schema: _s, ...role } = RoleDefinition.parse(
          JSON.parse(readFileSync(path.join(SHIPPED, file), 'utf8')),
        )
        const name = path.basename(file, '.json')
        return [name, { ...role, name, source: 'shipped' as const }]
      }),
  )
  return shipped
}

export interface Roles {
  roles: Map<string, Role>
  faulty: FaultyRole[]
}

/**
 * All roles of a project; its own files go before the shipped ones of the same name, and no shipped one takes the place of what can
 * not be used: somebody meant something else by that name. `root`: its real folder, where it may be looked at.
 */
export async function rolesOf(root: string | undefined): Promise<Roles> {
  const all: Roles = { roles: new Map(shippedRoles()), faulty: [] }
  const own = root === undefined ? undefined : await ownFiles(root)
  if (own === undefined) return all
  if ('fault' in own) return { roles: new Map(), faulty: [faultyFile(OWN, own.fault)] }
  const { folder, files } = own
  for (const file of files) all.roles.delete(path.basename(file, '.json'))
  if (files.length > MOST_FILES)
    all.faulty.push(faultyFile(OWN, `has ${files.length} files; only the first ${MOST_FILES} by name are read`))
  for (const file of files.slice(0, MOST_FILES)) {
    const read = await ownRole(folder, file)
    if ('faults' in read) all.faulty.push(read)
    else all.roles.set(read.name, read)
  }
  return all
}

/** The files of a project's own folder of roles, or why it can not be used; undefined when there is none. */
async function ownFiles(root: string): Promise<{ folder: string; files: string[] } | { fault: string } | undefined> {
  const wanted = path.join(root, OWN)
  try {
    const folder = await realpath(wanted)
    if (!isWithin(root, folder)) return { fault: 'leads out of the project, and nothing in it is read' }
    return { folder, files: (await readdir(folder)).filter((file) => file.endsWith('.json')).sort() }
  } catch {
    // A link that leads nowhere is there all the same.
    return (await isThere(wanted)) ? { fault: 'is no folder that can be read' } : undefined
  }
}

async function isThere(file: string): Promise<boolean> {
  return lstat(file).then(
    () => true,
    ({ code }: NodeJS.ErrnoException) => code !== 'ENOENT' && code !== 'ENOTDIR',
  )
}

async function ownRole(folder: string, file: string): Promise<Role | FaultyRole> {
  const shown = `${OWN}/${safeText(file)}`
  if (!NAME.test(file)) return faultyFile(shown, 'has no name of a role: small letters, digits and -, 40 at most')
  const text = await readMirror(path.join(folder, file))
  const value = typeof text === 'string' ? parsed(text) : undefined
  if (value === undefined) return faultyFile(shown, 'is no JSON object that can be read')
  const read = RoleDefinition.safeParse(value)
  if (!read.success) return { file: shown, faults: schemaFaults(read.error, value, '') }
  const { $schema: _s, ...role } = read.data
  return { ...role, name: path.basename(file, '.json'), source: 'project' }
}

function faultyFile(file: string, message: string): FaultyRole {
  return { file, faults: [{ path: '', message }] }
}

/** A role by its name. Throws E14016 with the faults of its file, or of the folder that may hold it, or NOT_FOUND with the names that there are. */
export function roleNamed({ roles, faulty }: Roles, name: string): Role {
  const role = roles.get(name)
  if (role) return role
  const file = faulty.find((one) => one.file === `${OWN}/${name}.json`) ?? faulty.find((one) => one.file === OWN)
  if (file) throw faults.roleFaulty({ file: file.file }, { details: { faults: file.faults } })
  throw errors.notFound({ kind: 'role', id: name }, { hint: `There are: ${[...roles.keys()].sort().join(', ')}.` })
}
