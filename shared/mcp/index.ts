export { mayCall } from './authorise.ts'
export { localBackend, type ToolBackend } from './backend.ts'
export { createHost, type HostOptions, type OtherServers } from './create-host.ts'
export {
  type AnyTool,
  type BaseContext,
  type CallOptions,
  type CallTool,
  defineJob,
  defineServer,
  defineTool,
  type Effect,
  type JobDefinition,
  type OpenContext,
  type OpenTool,
  type ProgressUpdate,
  type ServerDefinition,
  type TxContext,
  type TxTool,
} from './define.ts'
export { type JsonSchema, type ToolDefinition, toolDefinitions } from './definition.ts'
export { mcpErrors } from './errors.ts'
export type { Host, HostCallOptions, LayerStatus, LoadedServer } from './host.ts'
export { assembleServer, loadServer } from './registry.ts'
export { serveConnection } from './stdio.ts'
