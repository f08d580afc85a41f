import {
  type ElicitRequestFormParams,
  type InputRequests,
  inputRequired,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { type FixtureTool, text } from './fixture-tool.ts'

type Form = ElicitRequestFormParams['requestedSchema']

const form = (message: string, properties: Form['properties'], required: string[] = []) =>
  inputRequired.elicit({ message, requestedSchema: { type: 'object', properties, required } })

/** Asks one thing, and says what the client answered. */
function asks(request: InputRequests[string], say: (answer: unknown) => string): FixtureTool['run'] {
  return async (_args, { mcpReq }: ServerContext) => {
    const answer = mcpReq.inputResponses?.['answer']
    return answer === undefined ? inputRequired({ inputRequests: { answer: request } }) : text(say(answer))
  }
}

const completed = (answer: unknown) => {
  const { action, content } = answer as { action: string; content?: unknown }
  return `Elicitation completed: action=${action}, content=${JSON.stringify(content ?? {})}`
}

const options = ['option1', 'option2', 'option3']
const titled = (word: string) =>
  ['First', 'Second', 'Third'].map((title, i) => ({ const: `value${i + 1}`, title: `${title} ${word}` }))

/** The tools of the 2025 suites that ask the client while they run. */
export const askingTools: Record<string, FixtureTool> = {
  test_sampling: {
    description: 'Asks the model of the client.',
    inputSchema: { type: 'object', properties: { prompt: { type: 'string' } }, required: ['prompt'] },
    run: (args, ctx) =>
      asks(
        inputRequired.createMessage({
          messages: [{ role: 'user', content: { type: 'text', text: String(args['prompt']) } }],
          maxTokens: 100,
        }),
        (answer) => `LLM response: ${JSON.stringify((answer as { content?: unknown }).content)}`,
      )(args, ctx) as ReturnType<FixtureTool['run']>,
  },
  test_elicitation: {
    description: 'Asks the user of the client.',
    inputSchema: { type: 'object', properties: { message: { type: 'string' } }, required: ['message'] },
    run: (args, ctx) =>
      asks(
        form(
          String(args['message']),
          {
            username: { type: 'string', description: "User's response" },
            email: { type: 'string', description: "User's email address" },
          },
          ['username', 'email'],
        ),
        (answer) => `User response: ${JSON.stringify(answer)}`,
      )(args, ctx),
  },
  test_elicitation_sep1034_defaults: {
    description: 'Asks with a default for every kind of field.',
    run: asks(
      form('Review and update your profile', {
        name: { type: 'string', default: 'John Doe' },
        age: { type: 'integer', default: 30 },
        score: { type: 'number', default: 95.5 },
        status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
        verified: { type: 'boolean', default: true },
      }),
      completed,
    ),
  },
  test_elicitation_sep1330_enums: {
    description: 'Asks to choose, in every form of a choice.',
    run: asks(
      form('Choose', {
        untitledSingle: { type: 'string', enum: options },
        titledSingle: { type: 'string', oneOf: titled('Option') },
        legacyEnum: {
          type: 'string',
          enum: ['opt1', 'opt2', 'opt3'],
          enumNames: ['Option One', 'Option Two', 'Option Three'],
        },
        untitledMulti: { type: 'array', items: { type: 'string', enum: options } },
        titledMulti: { type: 'array', items: { anyOf: titled('Choice') } },
      }),
      completed,
    ),
  },
}
