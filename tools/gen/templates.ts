/** Files of a new server; it offers nothing until it gets its first tool. */
export function serverFiles({
  name,
  port,
  layer,
}: {
  name: string
  port: number
  layer: string
}): Record<string, string> {
  const title = words(name)
  const manifest = {
    name: `@story-portal/server-${name}`,
    version: '1.0.0',
    private: true,
    type: 'module',
    exports: {},
  }
  return {
    'package.json': `${JSON.stringify(manifest, null, 2)}\n`,
    'server.ts': `import { defineServer } from '@story-portal/shared/mcp'

export default defineServer({
  title: '${title}',
  layer: '${layer}',
  port: ${port},
  summary: 'in one line, what ${name} is for',
  instructions: 'What an assistant should know before it uses ${name}: what it is for, and in which order its tools are called.',
})
`,
    'README.md': `# ${title}

What this server is for, in a few lines: what it keeps, who calls it, what it leaves to others.

<!-- generated:tools -->
<!-- /generated:tools -->
`,
  }
}

/** A tool that answers what it was given, and its test, which fails until somebody says what the tool is for. */
export function toolFiles(server: string, file: string): Record<string, string> {
  const name = file.replaceAll('-', '_')
  return {
    [`${file}.ts`]: `import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'

export default defineTool({
  name: '${name}',
  description: 'Returns the text it was given. Say here what it returns or changes, then when to use a sibling instead.',
  effect: 'read',
  input: { text: z.string().min(1).max(200).describe('What to return') },
  output: { text: z.string().describe('The same text') },
  async run({ text }) {
    return { text }
  },
})
`,
    [`${file}.test.ts`]: `import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

test('${name} answers what it is for', async () => {
  const { call } = await open('${server}')
  expect(await call('${name}', { text: 'hello' })).toEqual({ text: 'replace this by what ${name} should answer' })
})
`,
  }
}

function words(name: string): string {
  const text = name.replaceAll('-', ' ')
  return text.charAt(0).toUpperCase() + text.slice(1)
}
