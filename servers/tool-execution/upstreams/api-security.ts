import type { Fault } from '@story-portal/shared/errors'
import { type Document, type Operation, object } from './openapi.ts'
import { resolved } from './schema-references.ts'

interface Given {
  auth: Readonly<Record<string, string>>
  headers: Readonly<Record<string, string>>
}

/** Why an operation could not be called with these credentials: none of its alternatives is complete. */
export function unmet(document: Document, { method, path, security }: Operation, given: Given): Fault[] {
  const lacking = security.map((needed) => needed.filter((name) => !isMet(document, name, given)))
  if (lacking.length === 0 || lacking.some((names) => names.length === 0)) return []
  const [first = []] = lacking
  return [{ path: `${method} ${path}`, message: first.map((name) => wish(document, name)).join(' and ') }]
}

/** A scheme that this platform can not carry out itself is met by a header that the operator gives. */
function isMet(document: Document, name: string, { auth, headers }: Given): boolean {
  if (kindOf(schemeOf(document, name)) === 'other') return Object.keys(headers).length > 0
  return auth[name] !== undefined
}

function wish(document: Document, name: string): string {
  const scheme = schemeOf(document, name)
  return kindOf(scheme) === 'other'
    ? `needs ${name}, of type ${String(scheme['type'])}: get a token yourself and give it in headers`
    : `needs auth.${name}`
}

type Kind = 'header' | 'query' | 'bearer' | 'basic' | 'other'

function kindOf(scheme: Document): Kind {
  const { type, in: place } = scheme
  if (type === 'apiKey' && (place === 'header' || place === 'query')) return place
  const http = type === 'http' ? String(scheme['scheme']).toLowerCase() : ''
  return http === 'bearer' || http === 'basic' ? http : 'other'
}

/** The headers and query parameters that carry the credentials. */
export function credentialsOf(
  document: Document,
  auth: Readonly<Record<string, string>>,
  given: Readonly<Record<string, string>>,
): { headers: Record<string, string>; query: Record<string, string> } {
  const headers: Record<string, string> = { ...given }
  const query: Record<string, string> = {}
  for (const [name, value] of Object.entries(auth)) {
    const scheme = schemeOf(document, name)
    const kind = kindOf(scheme)
    if (kind === 'header') headers[String(scheme['name'])] = value
    if (kind === 'query') query[String(scheme['name'])] = value
    if (kind === 'bearer') headers['authorization'] = `Bearer ${value}`
    if (kind === 'basic') headers['authorization'] = `Basic ${Buffer.from(value).toString('base64')}`
  }
  return { headers, query }
}

function schemeOf(document: Document, name: string): Document {
  return resolved(document, object(object(document['components'])['securitySchemes'])[name])
}
