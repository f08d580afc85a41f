import type { BuiltinTool } from '../builtins/builtin-tool.ts'

declare const http: { fetch(url: string, options: object): Promise<object> }

export const tool: BuiltinTool = {
  version: '1.0.0',
  title: 'Fetch from the web',
  description:
    'Sends one HTTP request to a public address and returns status, headers and body. A person approves each call; for one host without asking, register a tool with that host in its permissions.',
  input_schema: {
    type: 'object',
    properties: {
      url: { type: 'string', minLength: 1, maxLength: 8_000 },
      method: { enum: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'], description: 'GET' },
      headers: { type: 'object', additionalProperties: { type: 'string' } },
      body: { type: 'string' },
    },
    required: ['url'],
    additionalProperties: false,
  },
  output_schema: {
    type: 'object',
    properties: {
      status: { type: 'integer' },
      headers: { type: 'object' },
      body: { description: 'JSON where the answer says it is, else text' },
    },
    required: ['status'],
  },
  permissions: { http: ['*'] },
  requires_approval: true,
}

export default async function httpFetch({ url, ...options }: { url: string; method?: string }) {
  return await http.fetch(url, options)
}
