export { type TestDatabase, testDatabase, testTenant } from './database.ts'
export { type CallClientOptions, fileDatabase, type Opened, type OpenOptions, open, ToolFailed } from './open.ts'
export { checkProperty, type PropertyOptions } from './property.ts'
export { ROOT, silentLog, testConfig } from './test-config.ts'
