/**
 * One set of JavaScript values for both drivers, made from PostgreSQL's text format: int2, int4 and floats are numbers; int8
 * and numeric strings; timestamptz ISO text in UTC with milliseconds; json parsed; bytea Uint8Array; vector number[].
 */
type Parse = (text: string) => unknown

const ELEMENT: Record<number, Parse> = {
  16: (t) => t === 't',
  17: bytea,
  21: Number,
  23: Number,
  26: Number,
  114: (t) => JSON.parse(t),
  700: Number,
  701: Number,
  1114: (t) => isoTime(t, ''),
  1184: (t) => isoTime(t, 'Z'),
  3802: (t) => JSON.parse(t),
}

/** Array types of the built-in element types (pg_type.typarray). */
const ARRAY_OF: Record<number, number> = {
  199: 114,
  1000: 16,
  1001: 17,
  1003: 19,
  1005: 21,
  1007: 23,
  1009: 25,
  1014: 1042,
  1015: 1043,
  1016: 20,
  1021: 700,
  1022: 701,
  1028: 26,
  1115: 1114,
  1182: 1082,
  1185: 1184,
  1231: 1700,
  2951: 2950,
  3807: 3802,
}

/** Types an extension brings have another oid in every database; the pool finds them out. */
export interface ExtensionTypes {
  vector: number | undefined
}

/** What `pg` asks for each column's parser. */
export function typeParsers(extension: ExtensionTypes): { getTypeParser(oid: number, format?: string): Parse } {
  return {
    getTypeParser(oid) {
      const element = ARRAY_OF[oid]
      if (element !== undefined) return (text) => parseArray(text, ELEMENT[element] ?? String)
      if (oid === extension.vector) return (text) => JSON.parse(text)
      return ELEMENT[oid] ?? String
    },
  }
}

function bytea(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.slice(2), 'hex'))
}

const TIME = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d+))?(?:\+00)?$/

/** Sessions run in UTC, so the offset is +00; years beyond 9999, BC and infinity stay as PostgreSQL writes them. */
function isoTime(text: string, zone: '' | 'Z'): string {
  const match = TIME.exec(text)
  if (!match) return text
  return `${match[1]}T${match[2]}.${(match[3] ?? '').padEnd(3, '0').slice(0, 3)}${zone}`
}

/** Reads PostgreSQL's array text, for example `{a,"b,\"c",NULL,{d}}`. */
export function parseArray(text: string, element: Parse): unknown[] {
  let at = text.indexOf('{')

  function quoted(): string {
    let value = ''
    for (at++; text[at] !== '"'; at++) {
      if (text[at] === '\\') at++
      value += text[at]
    }
    at++
    return value
  }

  function item(): unknown {
    if (text[at] === '{') return list()
    if (text[at] === '"') return element(quoted())
    const start = at
    while (text[at] !== ',' && text[at] !== '}') at++
    const plain = text.slice(start, at)
    return plain === 'NULL' ? null : element(plain)
  }

  function list(): unknown[] {
    const items: unknown[] = []
    at++
    while (text[at] !== '}') {
      items.push(item())
      if (text[at] === ',') at++
    }
    at++
    return items
  }

  return list()
}
