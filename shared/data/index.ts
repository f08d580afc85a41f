export { canonicalJson, hashJson, sha256 } from '../events/index.ts'
export { activity, listActivity } from './activity.ts'
export { type Filter, sortable } from './conditions.ts'
export {
  CONFIGURATION_CHANNEL,
  type ConfigurationReader,
  findConfiguration,
  readConfigurations,
  type Setting,
  setConfiguration,
} from './configuration.ts'
export { openCursor, sealCursor } from './cursor.ts'
export { cursorKey } from './cursor-key.ts'
export {
  anyJson,
  BASE_COLUMNS,
  type BaseRecord,
  bool,
  type ChangesOf,
  type ColumnType,
  defineKind,
  type Field,
  type Fields,
  fallback,
  float,
  type InsertOf,
  inMs,
  int,
  json,
  type Kind,
  type KindName,
  type Kinds,
  managed,
  oneOf,
  optional,
  type RecordOf,
  ref,
  type StateMachine,
  states,
  text,
  time,
} from './define-kind.ts'
export type { Changes } from './diff.ts'
export { recordErrors } from './errors.ts'
export { missingIndexes, type SlowQuery, slowQueries, type TableSize, tableSizes } from './health.ts'
export { compileSchema, type SchemaCheck } from './json-schema.ts'
export { type ListOptions, listRecords, type Page } from './list.ts'
export { assertReferences, parseChanges, parseNew, refuseManagedKind } from './outside.ts'
export { assertMove } from './plan-update.ts'
export {
  type FindOptions,
  findRecord,
  getRecord,
  getRecordAsOf,
  type HistoryEntry,
  parseAsOf,
  rebuildRecord,
  recordHistory,
} from './read.ts'
export { type RecordTable, recordTable } from './record-table.ts'
export { columnsOf, kindNames, kindOf, kinds, statusOf, streamOf } from './registry.ts'
export { schemaFault } from './schema-fault.ts'
export type { RecordTables } from './tables.ts'
export { VERBS } from './upcasters.ts'
export {
  createRecord,
  createRecords,
  deleteRecord,
  restoreRecord,
  type UpdateOptions,
  updateKnown,
  updateRecord,
  updateRecords,
  type WriteOptions,
} from './write.ts'
