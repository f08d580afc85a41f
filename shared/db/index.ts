export { type DatabaseConfig, type OpenOptions, openDatabase } from './database.ts'
export { dumpFailure, startDailyDumps } from './dump/daily-dumps.ts'
export { type DumpFile, listDumps, takeDump } from './dump/dumps.ts'
export { type Loaded, loadDump } from './dump/load-dump.ts'
export { verifyDump } from './dump/read-dump.ts'
export { type Restored, restoreHome } from './dump/restore-home.ts'
export { writeDump } from './dump/write-dump.ts'
export { otherMajor, readManifest } from './embedded/manifest.ts'
export { dbErrors, SQLSTATE } from './errors.ts'
export { assertOutsideTransaction, insideTransaction } from './guard.ts'
export { newId } from './ids.ts'
export { installationKey } from './installation.ts'
export { type Internals, internalsOf } from './internals.ts'
export { type MigrateResult, migrate } from './migrate.ts'
export { createSchema, grantTable, type TenantTableOptions, tenantTable } from './migration-helpers.ts'
export { migrationNames } from './migrations.ts'
export { json, notify } from './parameters.ts'
export { onServer } from './postgres/server.ts'
export { translateDriverError } from './translate.ts'
export type {
  Db,
  DbHealth,
  DbMode,
  OwnerScope,
  Scope,
  ScopedDb,
  SystemScope,
  Tables,
  TenantScope,
  Tx,
  TxExtras,
  TxOptions,
} from './types.ts'
