import { expect, test } from 'vitest'
import { mcpJson } from './documents.ts'
import { markdownTable, replaceBlock } from './markdown.ts'

test('a table stays a table whatever its cells hold', () => {
  expect(markdownTable(['A', 'B'], [['x | y', 'two\nlines']])).toBe('| A | B |\n|---|---|\n| x \\| y | two lines |')
})

test('a block is replaced between its marks, again and again with the same result', () => {
  const text = 'before\n<!-- generated:t -->\nold\n<!-- /generated:t -->\nafter\n'
  const once = replaceBlock(text, 't', 'new', 'README.md')
  expect(once).toBe('before\n<!-- generated:t -->\nnew\n<!-- /generated:t -->\nafter\n')
  expect(replaceBlock(once, 't', 'new', 'README.md')).toBe(once)
  expect(() => replaceBlock(text, 'other', '', 'README.md')).toThrow('README.md has no block')
})

test('.mcp.json: the hub first, short lists on one line', () => {
  const server = (name: string) => ({ name }) as Parameters<typeof mcpJson>[0][number]
  const text = mcpJson([server('data'), server('service-hub')])
  expect(Object.keys(JSON.parse(text).mcpServers)).toEqual(['service-hub', 'data'])
  expect(text).toContain('"args": ["tools/mcp.js", "data"]')
})
