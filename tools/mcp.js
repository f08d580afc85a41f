#!/usr/bin/env node
// `node tools/mcp.js <server>`: one MCP server on stdio. This is the command in .mcp.json.
import { launch } from './launch.js'

await launch('mcp.ts')
