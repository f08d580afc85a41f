import type { Server } from '@modelcontextprotocol/server'
import { safeText } from '../errors/index.ts'
import { mcpErrors } from './errors.ts'
import { type RequestTools, refusal } from './resources.ts'
import { fill, readToolText, type ToolText } from './tool-text.ts'

/** One prompt; prompts/*.ts of a server export one of these by default. Plain data, kept in the manifest. */
export interface PromptDefinition {
  /** `^[a-z][a-z0-9_]{1,40}$`; the file has the same name in kebab-case. */
  name: string
  title: string
  description: string
  arguments?: readonly { name: string; description: string; required?: boolean }[]
  /** What the user would say; `{name}` stands for an argument, `{result}` for what `read` gives. */
  text: string
  read?: ToolText
}

/** Longest value of one argument, in characters. */
const MAX_ARGUMENT = 20_000

/** Declares one prompt. */
export function definePrompt(prompt: PromptDefinition): PromptDefinition {
  return prompt
}

/** Answers prompts/list and prompts/get; shows only prompts whose tool the caller may call. */
export function servePrompts(server: Server, prompts: readonly PromptDefinition[], tools: RequestTools): void {
  server.setRequestHandler('prompts/list', (_request, ctx) => ({
    prompts: prompts.filter(({ read }) => read === undefined || tools.sees(ctx, read.tool)).map(shownPrompt),
  }))
  server.setRequestHandler('prompts/get', async ({ params }, ctx) => {
    const prompt = prompts.find(({ name }) => name === params.name)
    if (!prompt || (prompt.read && !tools.sees(ctx, prompt.read.tool))) {
      throw refusal(mcpErrors.unknownPrompt({ prompt: safeText(params.name, 60) }), {})
    }
    const given = checked(prompt, params.arguments ?? {})
    const result = prompt.read
      ? await readToolText(prompt.read, given, tools.reader(ctx)).catch((error: unknown) => {
          throw refusal(error, {})
        })
      : ''
    const text = fill(prompt.text, { ...given, result })
    return { description: prompt.description, messages: [{ role: 'user' as const, content: { type: 'text', text } }] }
  })
}

function shownPrompt({ name, title, description, arguments: args = [] }: PromptDefinition) {
  return { name, title, description, arguments: args.map((argument) => ({ required: false, ...argument })) }
}

/** The arguments the prompt knows, the required ones present; every fault is told at once. */
function checked(prompt: PromptDefinition, given: Readonly<Record<string, string>>): Record<string, string> {
  const known = prompt.arguments ?? []
  const faults = known
    .filter(({ name, required }) => required && (given[name] ?? '').trim() === '')
    .map(({ name, description }) => ({ path: `params.arguments.${name}`, message: 'is missing', hint: description }))
  for (const [name, value] of Object.entries(given)) {
    const path = `params.arguments.${safeText(name, 60)}`
    if (!known.some((one) => one.name === name)) faults.push({ path, message: 'is not an argument of it', hint: '' })
    else if (value.length > MAX_ARGUMENT)
      faults.push({ path, message: 'is too long', hint: `At most ${MAX_ARGUMENT}.` })
  }
  if (faults.length > 0) throw refusal(mcpErrors.badParams({ method: 'prompts/get' }, { details: { faults } }), {})
  return { ...given }
}
