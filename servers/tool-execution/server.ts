import { defineServer } from '@story-portal/shared/mcp'

export default defineServer({
  title: 'Tool execution',
  layer: 'L03',
  port: 3,
  summary: 'versioned tools and sandboxed code, run exactly once',
  instructions: [
    'Runs code and registered tools in a sandbox, each call recorded as an invocation. run_code is for one-off code, register_tool',
    'keeps code as a versioned tool with JSON Schemas, search_registered_tools finds it, invoke_tool calls it; check_code only parses.',
    'Code is the body of an async function with input in scope; what it returns is the result and must be JSON. It has no network,',
    'no files, no timers and no modules. With permissions {"tools": ["data.*"]} it calls the platform as tools.data.get_record(args)',
    '(a dash in a server name is written _), as you and with your rights at most; {"http": ["api.example.com"]} gives it http.fetch(url,',
    '{method, headers, body}), {"secrets": ["name"]} lets a header be {"secret": "name", "prefix": "Bearer "}; a registered tool with',
    '{"storage": true} keeps JSON with storage.get(key) and storage.set(key, value).',
    'With an idempotency_key a repeated call returns the recorded result instead of running again. Limits end a run with an error of',
    'their own; details.logs holds what the code had logged.',
  ].join(' '),
})
