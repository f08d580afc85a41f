import type { Config } from '@story-portal/shared/config'
import type { Tx } from '@story-portal/shared/db'
import { badInput } from '@story-portal/shared/errors'
import { SecretName } from '../schema.ts'
import { deleteSecretsOf, readSecret, setSecret } from '../secrets/secrets.ts'

/** A value as it stands in an upstream's record: every one of these places may hold a credential, so none is kept there. */
export type Named = { secret: string }
type Given = Record<string, string | Named>

const PLACES = ['env', 'headers', 'query'] as const
type Place = (typeof PLACES)[number]

/** What a transport may hold in the places of credentials. */
type Sealable = { [K in Place]?: Given }

/** The transport as it is recorded: values that were given are kept as secrets of the upstream's own, in the place of older ones. */
export async function sealTransport<T extends Sealable>(
  tx: Tx,
  config: Config,
  { upstream, transport }: { upstream: string; transport: T },
): Promise<Record<string, unknown>> {
  await deleteSecretsOf(tx, `upstream.${upstream}.`)
  const sealed: Record<string, unknown> = { ...transport }
  for (const place of PLACES) {
    const given = transport[place]
    if (!given) continue
    const named: Record<string, Named> = {}
    for (const [key, value] of Object.entries(given)) {
      named[key] = typeof value === 'string' ? { secret: secretName(upstream, place, key) } : value
      if (typeof value === 'string') await setSecret(tx, config, { name: secretName(upstream, place, key), value })
      // Named by hand: it has to be there.
      else await readSecret(tx, config, value.secret)
    }
    sealed[place] = named
  }
  return sealed
}

function secretName(upstream: string, place: Place, key: string): string {
  const name = `upstream.${upstream}.${place}.${key}`
  if (!SecretName.safeParse(name).success)
    throw badInput(`transport.${place}`, 'has a name with other than letters, digits, _, . and -')
  return name
}

/** The recorded transport with its credentials, for the connection only. */
export async function unsealTransport<T>(tx: Tx, config: Config, recorded: unknown): Promise<T> {
  const transport: Record<string, unknown> = { ...(recorded as object) }
  for (const place of PLACES) {
    const named = transport[place] as Given | undefined
    if (!named) continue
    const values: Record<string, string> = {}
    // Records of before the secrets hold the value itself.
    for (const [key, value] of Object.entries(named))
      values[key] = typeof value === 'string' ? value : (await readSecret(tx, config, value.secret)).value
    transport[place] = values
  }
  return transport as T
}
