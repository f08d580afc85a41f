import type { PlanDefinitionInput } from '@story-portal/shared/engine'
import { importFolder, schemaFaults } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { planningErrors } from './errors.ts'

/** A plan with blanks, filled from the plan's `input`: text in it is data and never read as a binding. */
export interface PlanTemplate {
  name: string
  description: string
  parameters: z.ZodObject
  tasks: PlanDefinitionInput['tasks'] | ((parameters: Record<string, unknown>) => PlanDefinitionInput['tasks'])
}

/** Declares one template: templates/*.ts export one each by default, named as their file. */
export function defineTemplate(template: PlanTemplate): PlanTemplate {
  return template
}

let loaded: Promise<ReadonlyMap<string, PlanTemplate>> | undefined

/** Every template of the folder, by name. */
export function planTemplates(): Promise<ReadonlyMap<string, PlanTemplate>> {
  loaded ??= loadTemplates()
  return loaded
}

/** The plan that a template makes of its parameters. */
export async function fillTemplate(name: string, input: unknown, maxParallel?: number): Promise<PlanDefinitionInput> {
  const templates = await planTemplates()
  const template = templates.get(name)
  if (!template)
    throw planningErrors.unknownTemplate({ template: name }, { details: { templates: describe(templates) } })
  const parsed = template.parameters.safeParse(input)
  if (!parsed.success) throw badParameters(template, input, parsed.error)
  const { tasks } = template
  return {
    tasks: typeof tasks === 'function' ? tasks(parsed.data) : tasks,
    input: z.json().parse(parsed.data),
    ...(maxParallel === undefined ? {} : { max_parallel: maxParallel }),
  }
}

/** What a client must know to use a template. */
export function describe(templates: ReadonlyMap<string, PlanTemplate>) {
  return [...templates.values()].map(({ name, description, parameters }) => ({
    name,
    description,
    parameters: z.toJSONSchema(parameters, { io: 'input', unrepresentable: 'any' })['properties'],
  }))
}

function badParameters(template: PlanTemplate, input: unknown, error: z.ZodError) {
  const faults = schemaFaults(error, input, 'input')
  const first = `${faults[0]?.path} ${faults[0]?.message}`
  const templates = describe(new Map([[template.name, template]]))
  return planningErrors.badParameters({ template: template.name, first }, { details: { faults, templates } })
}

async function loadTemplates(): Promise<ReadonlyMap<string, PlanTemplate>> {
  const files = await importFolder<PlanTemplate>(new URL('./templates/', import.meta.url))
  return new Map(files.map(({ value }) => [value.name, value]))
}
