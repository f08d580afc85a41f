export { type TestDatabase, testDatabase, testTenant } from './database.ts'
export { ROOT, silentLog, testConfig } from './test-config.ts'
