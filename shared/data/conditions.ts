import { type RawBuilder, sql } from 'kysely'
import { z } from 'zod'
import { type Fault, issueWords } from '../errors/index.ts'
import { assertStorable } from '../events/index.ts'
import { BASE_COLUMNS, type ColumnType, type Kind } from './define-kind.ts'
import { recordErrors } from './errors.ts'
import { columnsOf } from './registry.ts'

/** Field -> value (null = is null, array = one of), or field -> conditions. */
export type Filter = Readonly<Record<string, unknown>>

interface Target {
  name: string
  type: ColumnType
  schema: z.ZodType
  path: string
}

type Build = (target: Target, value: unknown) => RawBuilder<unknown>

const ORDERED: readonly ColumnType[] = ['text', 'int4', 'float8', 'timestamptz']

const operators: Readonly<
  Record<string, { types?: readonly ColumnType[]; value: (t: Target) => z.ZodType; build: Build }>
> = {
  eq: {
    value: (t) => t.schema.nullable(),
    build: (t, v) => (v === null ? isNull(t, true) : sql`${column(t)} = ${cast(t, v)}`),
  },
  ne: {
    value: (t) => t.schema.nullable(),
    build: (t, v) => (v === null ? isNull(t, false) : sql`${column(t)} is distinct from ${cast(t, v)}`),
  },
  in: {
    types: ['text', 'int4', 'float8', 'timestamptz', 'bool'],
    value: (t) => z.array(t.schema).min(1).max(200),
    build: (t, v) => sql`${column(t)} in (${sql.join((v as unknown[]).map((one) => cast(t, one)))})`,
  },
  gt: comparison('>'),
  gte: comparison('>='),
  lt: comparison('<'),
  lte: comparison('<='),
  contains: {
    types: ['text', 'jsonb'],
    value: (t) => (t.type === 'text' ? z.string().min(1).max(1000) : z.json()),
    build: (t, v) =>
      t.type === 'text'
        ? sql`${column(t)} ilike ${`%${String(v).replace(/[\\%_]/g, '\\$&')}%`}`
        : sql`${column(t)} @> ${JSON.stringify(v)}::jsonb`,
  },
  is_null: { value: () => z.boolean(), build: (t, v) => isNull(t, v === true) },
}

function comparison(operator: string) {
  return {
    types: ORDERED,
    value: (t: Target) => (t.type === 'text' ? z.string().max(1000) : t.schema),
    build: (t: Target, v: unknown) => sql`${column(t)} ${sql.raw(operator)} ${cast(t, v)}`,
  }
}

/** The filter as SQL conditions. Throws E0405 with the path of every fault: unknown field, unknown operator, wrong value. */
export function conditionsOf(kind: Kind, filter: Filter): RawBuilder<unknown>[] {
  assertStorable(filter, 'filter')
  const faults: Fault[] = []
  const built = Object.entries(filter).flatMap(([name, wanted]) => {
    const target = targetOf(kind, name)
    if (target)
      return Object.entries(asOperators(target, wanted)).map(([op, value]) => one(kind, target, op, value, faults))
    faults.push({ path: `filter.${name}`, message: `is not a field of a ${kind.name}` })
    return []
  })
  if (faults.length > 0) throw badFilter(kind, faults)
  return built
}

function one(kind: Kind, target: Target, op: string, value: unknown, faults: Fault[]): RawBuilder<unknown> {
  const operator = Object.hasOwn(operators, op) ? operators[op] : undefined
  const path = `${target.path}.${op}`
  if (!operator || (operator.types && !operator.types.includes(target.type))) {
    faults.push({
      path,
      message: operator ? `does not work on ${target.name}` : `is not a condition`,
      hint: `One of ${Object.keys(operators).join(', ')}.`,
    })
    return sql`false`
  }
  const parsed = operator.value(target).safeParse(value)
  if (parsed.success) return operator.build(target, parsed.data)
  const [issue] = parsed.error.issues
  faults.push({
    path,
    message: `does not fit ${kind.name}.${target.name}: it ${issue ? issueWords(issue, value) : 'is not valid'}`,
  })
  return sql`false`
}

/** A bare value means eq, null means is_null, an array means in; of an object only known operators make conditions. */
function asOperators(target: Target, wanted: unknown): Record<string, unknown> {
  if (wanted === null) return { is_null: true }
  if (Array.isArray(wanted) && target.type !== 'jsonb') return { in: wanted }
  if (typeof wanted === 'object' && !Array.isArray(wanted)) return wanted as Record<string, unknown>
  return { eq: wanted }
}

/** E0405 for faults of a filter, sort or query. */
export function badFilter(kind: Kind, faults: Fault[]) {
  const fields = [...columnsOf(kind).keys()].join(', ')
  const summary = faults.map((fault) => `${fault.path} ${fault.message}`).join('; ')
  return recordErrors.badFilter({ kind: kind.name, summary, fields }, { details: { faults } })
}

function targetOf(kind: Kind, name: string): Target | undefined {
  const type = columnsOf(kind).get(name)
  if (!type || name === 'tenant_id') return undefined
  const own = kind.fields[name]
  return { name, type, schema: own?.schema ?? baseSchemas[type], path: `filter.${name}` }
}

const baseSchemas: Readonly<Record<ColumnType, z.ZodType>> = {
  text: z.string().max(1000),
  int4: z.int(),
  float8: z.number(),
  bool: z.boolean(),
  jsonb: z.json(),
  timestamptz: z.iso.datetime({ offset: true }),
}

/** Columns a list may be sorted by: everything but JSON. */
export function sortable(kind: Kind, name: string): ColumnType | undefined {
  const type = name in BASE_COLUMNS || name in kind.fields ? columnsOf(kind).get(name) : undefined
  return type === 'jsonb' || name === 'tenant_id' ? undefined : type
}

function column(target: Target): RawBuilder<unknown> {
  return sql.ref(`t.${target.name}`)
}

function cast(target: Target, value: unknown): RawBuilder<unknown> {
  return target.type === 'jsonb' ? sql`${JSON.stringify(value)}::jsonb` : sql`${value}::${sql.raw(target.type)}`
}

function isNull(target: Target, yes: boolean): RawBuilder<unknown> {
  return yes ? sql`${column(target)} is null` : sql`${column(target)} is not null`
}
