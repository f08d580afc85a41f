import { globSync, readFileSync } from 'node:fs'
import { readdir, realpath } from 'node:fs/promises'
import path from 'node:path'
import type { Fault } from '@story-portal/shared/errors'
import { errors } from '@story-portal/shared/errors'
import { schemaFaults } from '@story-portal/shared/mcp'
import { faults } from '../errors.ts'
import { isWithin } from '../is-within.ts'
import { readMirror } from '../mirror/mirror-folder.ts'
import { parsed } from '../mirror/render.ts'
import { RoleDefinition } from './role-definition.ts'

export type Role = Omit<RoleDefinition, '$schema'> & { name: string; source: 'shipped' | 'project' }

/** A file of a project that is no role, and what is wrong with it. */
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

/** All roles of a project; its own files go before the shipped ones of the same name. `root`: its real folder, where it may be looked at. */
export async function rolesOf(root: string | undefined): Promise<Roles> {
  const all: Roles = { roles: new Map(shippedRoles()), faulty: [] }
  if (root === undefined) return all
  const folder = await realpath(path.join(root, OWN)).catch(() => undefined)
  if (folder === undefined || !isWithin(root, folder)) return all
  const names = (await readdir(folder).catch(() => [])).filter((file) => NAME.test(file)).sort()
  for (const file of names.slice(0, MOST_FILES)) {
    const text = await readMirror(path.join(folder, file))
    const value = typeof text === 'string' ? parsed(text) : undefined
    const read = RoleDefinition.safeParse(value)
    const name = path.basename(file, '.json')
    if (read.success) {
      const { $schema: _s, ...role } = read.data
      all.roles.set(name, { ...role, name, source: 'project' })
    } else {
      const wrong =
        value === undefined
          ? [{ path: '', message: 'is no JSON object that can be read' }]
          : schemaFaults(read.error, value, '')
      all.faulty.push({ file: `${OWN}/${file}`, faults: wrong })
      // Not the shipped one in its place: somebody meant something else by that name.
      all.roles.delete(name)
    }
  }
  return all
}

/** A role by its name. Throws E14016 with the faults of its file, or NOT_FOUND with the names that there are. */
export function roleNamed({ roles, faulty }: Roles, name: string): Role {
  const role = roles.get(name)
  if (role) return role
  const file = faulty.find((one) => one.file === `${OWN}/${name}.json`)
  if (file) throw faults.roleFaulty({ file: file.file }, { details: { faults: file.faults } })
  throw errors.notFound({ kind: 'role', id: name }, { hint: `There are: ${[...roles.keys()].sort().join(', ')}.` })
}
