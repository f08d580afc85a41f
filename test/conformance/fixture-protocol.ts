import {
  type GetPromptResult,
  ProtocolError,
  ProtocolErrorCode,
  ResourceNotFoundError,
  type Server,
} from '@modelcontextprotocol/server'
import { askingTools } from './asking-tools.ts'
import { contentTools, unknownTool } from './content-tools.ts'
import type { FixtureTool } from './fixture-tool.ts'
import { inputTools, promptInput } from './input-tools.ts'
import { PNG } from './media.ts'

const tools: Record<string, FixtureTool> = { ...contentTools, ...inputTools, ...askingTools }
const NO_ARGUMENTS = { type: 'object' } as const
const CACHE = { ttlMs: 60_000, cacheScope: 'private' } as const

/** What the conformance suites ask a server for, put on the protocol server that the product's serving code made. */
export function fixtureProtocol(server: Server): void {
  server.registerCapabilities({
    tools: {},
    resources: { subscribe: true },
    prompts: {},
    logging: {},
    completions: {},
  })
  server.setRequestHandler('tools/list', () => ({
    ...CACHE,
    tools: Object.entries(tools).map(([name, { description, inputSchema = NO_ARGUMENTS }]) => ({
      name,
      description,
      inputSchema,
    })),
  }))
  server.setRequestHandler('tools/call', async ({ params }, ctx) => {
    const tool = Object.hasOwn(tools, params.name) ? tools[params.name] : undefined
    if (!tool) throw unknownTool(params.name)
    return tool.run(params.arguments ?? {}, ctx)
  })
  resources(server)
  prompts(server)
  server.setRequestHandler('completion/complete', () => ({ completion: { values: ['paris', 'park'], total: 2 } }))
}

const RESOURCES = [
  { uri: 'test://static-text', name: 'static-text', description: 'A text.', mimeType: 'text/plain' },
  { uri: 'test://static-binary', name: 'static-binary', description: 'A picture.', mimeType: 'image/png' },
  { uri: 'test://watched-resource', name: 'watched-resource', description: 'May change.', mimeType: 'text/plain' },
]
const TEMPLATE = { uriTemplate: 'test://template/{id}/data', name: 'template', description: 'By id.' }

function resources(server: Server): void {
  server.setRequestHandler('resources/list', () => ({ ...CACHE, resources: RESOURCES }))
  server.setRequestHandler('resources/templates/list', () => ({ ...CACHE, resourceTemplates: [TEMPLATE] }))
  server.setRequestHandler('resources/read', ({ params: { uri } }) => ({ ...CACHE, contents: [contentsOf(uri)] }))
  // Accepted and forgotten: without a session there is no stream to tell on; subscriptions/listen is the way since 2026-07-28.
  server.setRequestHandler('resources/subscribe', () => ({}))
  server.setRequestHandler('resources/unsubscribe', () => ({}))
}

function contentsOf(uri: string) {
  const id = /^test:\/\/template\/([^/]+)\/data$/.exec(uri)?.[1]
  if (id !== undefined) {
    const text = JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` })
    return { uri, mimeType: 'application/json', text }
  }
  if (uri === 'test://static-text') {
    return { uri, mimeType: 'text/plain', text: 'This is the content of the static text resource.' }
  }
  if (uri === 'test://static-binary') return { uri, mimeType: 'image/png', blob: PNG }
  if (uri === 'test://watched-resource') return { uri, mimeType: 'text/plain', text: 'Watched.' }
  throw new ResourceNotFoundError(uri)
}

const argument = (name: string) => ({ name, description: `The ${name}.`, required: true })
const PROMPTS = [
  { name: 'test_simple_prompt', description: 'Says one thing.' },
  { name: 'test_prompt_with_arguments', description: 'Takes two.', arguments: [argument('arg1'), argument('arg2')] },
  { name: 'test_prompt_with_embedded_resource', description: 'Embeds.', arguments: [argument('resourceUri')] },
  { name: 'test_prompt_with_image', description: 'Shows a picture.' },
  { name: 'test_input_required_result_prompt', description: 'Asks first.' },
]

function prompts(server: Server): void {
  server.setRequestHandler('prompts/list', () => ({ ...CACHE, prompts: PROMPTS }))
  server.setRequestHandler('prompts/get', ({ params }, ctx) => {
    if (params.name === 'test_input_required_result_prompt') return promptInput(ctx) ?? says('With context.')
    return promptOf(params.name, params.arguments ?? {})
  })
}

function promptOf(name: string, args: Record<string, string>): GetPromptResult {
  switch (name) {
    case 'test_simple_prompt':
      return says('This is a simple prompt for testing.')
    case 'test_prompt_with_arguments':
      return says(`Prompt with arguments: arg1='${args['arg1']}', arg2='${args['arg2']}'`)
    case 'test_prompt_with_embedded_resource': {
      const resource = {
        uri: args['resourceUri'] ?? '',
        mimeType: 'text/plain',
        text: 'Embedded resource content for testing.',
      }
      return says('Please process the embedded resource above.', { type: 'resource', resource })
    }
    case 'test_prompt_with_image':
      return says('Please analyze the image above.', { type: 'image', data: PNG, mimeType: 'image/png' })
    default:
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Prompt ${name} not found`)
  }
}

function says(text: string, ...before: GetPromptResult['messages'][number]['content'][]): GetPromptResult {
  const content = [...before, { type: 'text' as const, text }]
  return { messages: content.map((one) => ({ role: 'user' as const, content: one })) }
}
