export { mayCall } from './authorise.ts'
export { localBackend, type ToolBackend } from './backend.ts'
export type { HostOptions, OtherServers } from './create-host.ts'
export {
  type AnyTool,
  type BaseContext,
  type CallByName,
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
export { schemaFaults } from './faults.ts'
export type { Host, HostCallOptions, LayerStatus, LoadedServer } from './host.ts'
export type { HttpHandle, HttpOptions } from './http.ts'
export { readManifests, type ServerManifest, serverManifest } from './manifest.ts'
export { createHost, serveHttp } from './on-demand.ts'
export { definePrompt, type PromptDefinition } from './prompts.ts'
export { assembleServer, importFolder, loadServer } from './registry.ts'
export { remoteBackend, remoteServers } from './remote.ts'
export { type Credentials, type RemoteOptions, serverUrl } from './remote-request.ts'
export { defineResource, type ResourceDefinition } from './resources.ts'
export { type StdioHandle, type StdioOptions, serveConnection, serveStdio } from './stdio.ts'
export { suggest } from './suggest.ts'
export { jsonSchemaToTypeScript } from './typescript.ts'
