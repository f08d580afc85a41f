import { SETTINGS, type Setting } from '@story-portal/shared/config'
import type { errorCatalogue } from '@story-portal/shared/errors'
import type { ServerManifest, ToolDefinition } from '@story-portal/shared/mcp'
import type { BuiltinManifest } from '../../servers/tool-execution/builtins/manifest.ts'
import { markdownTable } from './markdown.ts'

/** Root README: which servers there are. */
export function serverTable(servers: readonly ServerManifest[]): string {
  return markdownTable(
    ['Server', 'Layer', 'Port', 'Tools', 'In one line'],
    servers.map(({ name, layer, port, tools, summary }) => [
      `[${name}](servers/${name}/README.md)`,
      layer,
      `base + ${port}`,
      String(tools.length),
      summary,
    ]),
  )
}

/** A server's README: its tools with what they take. */
export function toolTable({ tools }: ServerManifest): string {
  return markdownTable(
    ['Tool', 'Takes', 'What it does'],
    tools.map((tool) => [`\`${tool.name}\``, takes(tool), tool.description]),
  )
}

export function builtinTable(tools: readonly BuiltinManifest[]): string {
  return markdownTable(
    ['Tool', 'Version', 'What it does'],
    tools.map(({ name, version, description }) => [`\`${name}\``, version, description]),
  )
}

/** Required fields plainly, optional ones with a question mark. */
function takes({ inputSchema }: ToolDefinition): string {
  const required = new Set((inputSchema['required'] as string[] | undefined) ?? [])
  const fields = Object.keys((inputSchema['properties'] as object | undefined) ?? {}).filter(
    (name) => name !== 'idempotency_key',
  )
  return fields.map((name) => `\`${name}${required.has(name) ? '' : '?'}\``).join(', ')
}

/** .mcp.json: relative paths and no secrets; the hub first, because clients that load one server load that. */
export function mcpJson(servers: readonly ServerManifest[]): string {
  const names = servers.map(({ name }) => name)
  const ordered = [...names.filter((name) => name === 'service-hub'), ...names.filter((name) => name !== 'service-hub')]
  const entries = ordered.map((name) => [name, { command: 'node', args: ['tools/mcp.js', name] }])
  const text = JSON.stringify({ mcpServers: Object.fromEntries(entries) }, null, 2)
  // Short lists on one line, as the formatter writes them.
  return `${text.replace(/\[\s+([^[\]{}]*?)\s+\]/g, (_, inner: string) => `[${inner.replace(/\s*\n\s*/g, ' ')}]`)}\n`
}

const LAYERS: Record<number, string> = {
  0: 'All servers',
  13: 'Document consolidator',
  14: 'Context orchestrator',
}

export function errorsDocument(catalogue: ReturnType<typeof errorCatalogue>): string {
  const layers = [...new Set(catalogue.map(({ layer }) => layer))]
  const sections = layers.map((layer) => {
    const rows = catalogue
      .filter((entry) => entry.layer === layer)
      .map(({ number, code, severity, message, hint }) => [number, code, severity, message, hint])
    const title = LAYERS[layer] ?? `L${String(layer).padStart(2, '0')}`
    return `## ${title}\n\n${markdownTable(['Number', 'Code', 'Severity', 'What it says', 'What to do'], rows)}`
  })
  return [
    '# Errors',
    '',
    'Made by `npm run gen` from the declarations in the code; do not edit.',
    '',
    'Every surface answers an error with the same body: `{"error": {code, number, message, hint, retryable, retry_after_ms?, correlation_id?,',
    'details?}}`. `code` says what kind it is and fixes the HTTP status, `number` says which case, `hint` what to do next. Words in braces',
    'stand for values of the call.',
    '',
    sections.join('\n\n'),
    '',
  ].join('\n')
}

export function configurationDocument(): string {
  const rows = Object.entries<Setting>(SETTINGS).map(([name, setting]) => [
    `\`${name}\``,
    setting.path ? `\`${setting.path}\`` : '',
    presetOf(setting),
    [setting.about, setting.reloadable ? 'SIGHUP applies it.' : '', setting.secret ? 'Secret: never shown.' : '']
      .filter(Boolean)
      .join(' '),
  ])
  return [
    '# Configuration',
    '',
    'Made by `npm run gen` from `shared/config/settings.ts`; do not edit.',
    '',
    'Nothing needs to be set. A setting comes from the environment, else from `config.json` in the data directory (nested objects by the',
    'place below), else it has its preset. A bad configuration stops the start with exit code 78 and names every bad setting, never a value.',
    '`story-portal doctor` checks what the settings point to.',
    '',
    markdownTable(['Variable', 'In config.json', 'Preset', 'What it does'], rows),
    '',
    '`STORY_PORTAL_URL_<SERVER>` says where a server of another host answers, for example `STORY_PORTAL_URL_TOOL_EXECUTION=http://10.0.0.7:8003`;',
    'without it the server is looked for on this machine. `NO_COLOR` turns colours off.',
    '',
  ].join('\n')
}

function presetOf(setting: Setting): string {
  const preset = setting.schema.safeParse(undefined)
  return preset.success && preset.data !== undefined ? `\`${String(preset.data)}\`` : ''
}
