import { z } from 'zod'

/** SQL types a record's column may have. */
export type ColumnType = 'text' | 'int4' | 'float8' | 'bool' | 'jsonb' | 'timestamptz'

/** States and where each may go; a state without a way out ends. */
export interface StateMachine<S extends string = string> {
  /** States a new record may have; the first is the default. */
  initial: readonly S[]
  next: Readonly<Record<S, readonly S[]>>
}

/** One column of a record kind. `T` is its type when read, `Needed` whether a new record must bring it. */
export interface Field<T = unknown, Needed extends boolean = boolean> {
  readonly column: ColumnType
  /** Checks a value that comes from outside; never null. */
  readonly schema: z.ZodType
  readonly nullable: boolean
  readonly needed: Needed
  /** Value of a new record that brings none. */
  readonly fallback: T | undefined
  /** Changed by the platform only: the generic record tools refuse it. */
  readonly managed: boolean
  /** The kind whose id this is; the migration has the foreign key and its delete behaviour. */
  readonly references?: string
  readonly machine?: StateMachine
}

export type Fields = Readonly<Record<string, Field>>

function field<T>(column: ColumnType, schema: z.ZodType): Field<T, true> {
  return { column, schema, nullable: false, needed: true, fallback: undefined, managed: false }
}

/** Text of 1 to `max` characters (default 20,000). */
export function text(max = 20_000): Field<string, true> {
  return field('text', z.string().min(1).max(max))
}

/** One of a few words. */
export function oneOf<const W extends string>(...words: [W, ...W[]]): Field<W, true> {
  return field('text', z.enum(words))
}

export function int(min = 0, max = 2_147_483_647): Field<number, true> {
  return field('int4', z.int().min(min).max(max))
}

export function float(): Field<number, true> {
  return field('float8', z.number())
}

export function bool(): Field<boolean, true> {
  return field('bool', z.boolean())
}

/** An instant, ISO 8601 in UTC with milliseconds when read. */
export function time(): Field<string, true> {
  return field('timestamptz', z.iso.datetime({ offset: true }))
}

/** Any JSON of the given shape; default: an object. */
export function json<T = Record<string, unknown>>(schema: z.ZodType = z.record(z.string(), z.json())): Field<T, true> {
  return field('jsonb', schema)
}

/** Any JSON value at all. */
export function anyJson(): Field<unknown, true> {
  return field('jsonb', z.json())
}

/** The id of a record of another kind. */
export function ref(kind: string): Field<string, true> {
  return { ...field<string>('text', z.string().min(1).max(200)), references: kind }
}

/** The state of a record; only the moves of the machine are allowed, here and by a trigger in the database. */
export function states<S extends string, const N extends Readonly<Record<S, readonly S[]>>>(
  initial: readonly (keyof N & string)[],
  next: N & Readonly<Record<S, readonly S[]>>,
): Field<keyof N & string, false> {
  const names = Object.keys(next) as [keyof N & string, ...(keyof N & string)[]]
  const machine = { initial, next } as unknown as StateMachine
  return {
    ...field<keyof N & string>('text', z.enum(names)),
    needed: false,
    fallback: names.find((n) => n === initial[0]),
    machine,
  }
}

/** May be null, and is when nothing is given. */
export function optional<T>(f: Field<T>): Field<T | null, false> {
  return { ...f, nullable: true, needed: false, fallback: null }
}

/** Has a value of its own when nothing is given. */
export function fallback<T>(f: Field<T>, value: NoInfer<T>): Field<T, false> {
  return { ...f, needed: false, fallback: value }
}

/** Changed by the platform only. */
export function managed<T, N extends boolean>(f: Field<T, N>): Field<T, N> {
  return { ...f, managed: true }
}

/** What every record has. `version` counts the record's changes and equals the version of its stream. */
export type BaseRecord = {
  tenant_id: string
  id: string
  version: number
  created_at: string
  updated_at: string
  deleted_at: string | null
  created_by: string
}

export const BASE_COLUMNS: Readonly<Record<keyof BaseRecord, ColumnType>> = {
  tenant_id: 'text',
  id: 'text',
  version: 'int4',
  created_at: 'timestamptz',
  updated_at: 'timestamptz',
  deleted_at: 'timestamptz',
  created_by: 'text',
}

/** A kind of record: its table, its columns, its states, and who may change what. */
export interface Kind<F extends Fields = Fields, T extends string = string> {
  /** Singular, snake_case; streams are `<name>/<id>`, event types `<name>.created` and so on. */
  readonly name: string
  readonly table: T
  /** Three letters before the underscore of an id. */
  readonly prefix: string
  readonly fields: F
  /** Text columns that `query` searches, most important first; the migration's generated column lists the same. */
  readonly search: readonly (keyof F & string)[]
  /** Fields that are unique together, as the migration says; named when a new record collides. */
  readonly unique?: readonly (readonly (keyof F & string)[])[]
  /** Named in the hint when a managed field, or a managed kind, is changed by the generic tools. */
  readonly managedBy?: string
  /** True: only the platform's own tools create, delete and restore these. */
  readonly managed?: boolean
  /** Fills the after-image of an event of an older shape; index 0 lifts version 1 to 2. Ships with the migration. */
  readonly upcasters?: readonly ((record: Record<string, unknown>) => Record<string, unknown>)[]
}

/** Declares a record kind. The file exports it by default and adds it to `Kinds` by declaration merging. */
export function defineKind<const F extends Fields, const T extends string>(kind: Kind<F, T>): Kind<F, T> {
  for (const name of Object.keys(kind.fields)) {
    if (name in BASE_COLUMNS) throw new Error(`${kind.name}.${name} is a column that every record has`)
  }
  return kind
}

/** Every kind by name; each file in kinds/ adds its own. */
// biome-ignore lint/suspicious/noEmptyInterface: filled by declaration merging
export interface Kinds {}

export type KindName = keyof Kinds & string

type FieldsOf<K extends KindName> = Kinds[K] extends Kind<infer F> ? F : never
type ValueOf<F> = F extends Field<infer T> ? T : never
type NeededKeys<F> = { [N in keyof F]: F[N] extends Field<never, true> | Field<infer _, true> ? N : never }[keyof F]

/** A row of a kind, as every function here returns it. */
export type RecordOf<K extends KindName> = BaseRecord & { -readonly [N in keyof FieldsOf<K>]: ValueOf<FieldsOf<K>[N]> }

/** What `createRecord` takes: needed fields, the rest optional. */
export type InsertOf<K extends KindName> = { -readonly [N in NeededKeys<FieldsOf<K>>]: ValueOf<FieldsOf<K>[N]> } & {
  -readonly [N in Exclude<keyof FieldsOf<K>, NeededKeys<FieldsOf<K>>>]?: ValueOf<FieldsOf<K>[N]>
}

/** What `updateRecord` takes; times also as `inMs(30_000)`, counted by the database's clock. */
export type ChangesOf<K extends KindName> = { -readonly [N in keyof FieldsOf<K>]?: ValueOf<FieldsOf<K>[N]> }

/** A time value `ms` after the transaction's time by the database; for leases, retries and deadlines. */
export function inMs(ms: number): string {
  return `now${ms < 0 ? '-' : '+'}${Math.round(Math.abs(ms))}`
}
