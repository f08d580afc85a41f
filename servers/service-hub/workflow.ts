import type { PlanDefinitionInput } from '@story-portal/shared/engine'
import { errors, invalidBy } from '@story-portal/shared/errors'
import { importFolder, schemaFaults } from '@story-portal/shared/mcp'
import { z } from 'zod'

type Tasks = PlanDefinitionInput['tasks']

/** A plan with blanks: parameters become the plan's `input`, where text is data and never read as a binding. */
export interface Workflow {
  /** `testing.unit`; the file is named the same, with - for _. */
  name: string
  title: string
  description: string
  parameters: z.ZodObject
  tasks: Tasks | ((parameters: Record<string, unknown>) => Tasks)
}

/** Declares one workflow: workflows/*.ts export one each by default. */
export function defineWorkflow<P extends z.ZodObject>(
  workflow: Omit<Workflow, 'parameters' | 'tasks'> & {
    parameters: P
    tasks: Tasks | ((parameters: z.output<P>) => Tasks)
  },
): Workflow {
  return workflow as unknown as Workflow
}

let loaded: Promise<ReadonlyMap<string, Workflow>> | undefined

/** Every workflow of the folder, by name. */
export function workflows(): Promise<ReadonlyMap<string, Workflow>> {
  loaded ??= load()
  return loaded
}

/** The workflow of that name; throws NOT_FOUND. */
export async function workflowNamed(name: string): Promise<Workflow> {
  const workflow = (await workflows()).get(name)
  if (!workflow) throw errors.notFound({ kind: 'workflow', id: name }, { hint: 'list_workflows names them.' })
  return workflow
}

/** What create_plan takes for it; throws INVALID_INPUT with the path of every fault. */
export function fillWorkflow(workflow: Workflow, given: unknown) {
  const parsed = workflow.parameters.safeParse(given)
  if (!parsed.success) throw invalidBy(schemaFaults(parsed.error, given, 'parameters'))
  const { tasks } = workflow
  return { tasks: typeof tasks === 'function' ? tasks(parsed.data) : tasks, input: z.json().parse(parsed.data) }
}

async function load(): Promise<ReadonlyMap<string, Workflow>> {
  const files = await importFolder<Workflow>(new URL('./workflows/', import.meta.url))
  return new Map(files.map(({ value }) => [value.name, value]))
}
