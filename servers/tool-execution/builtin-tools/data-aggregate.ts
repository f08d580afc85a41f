import { type BuiltinTool, refuse } from '../builtins/builtin-tool.ts'

export const tool: BuiltinTool = {
  version: '1.0.0',
  title: 'Aggregate rows',
  description:
    'Groups a list of objects by fields and computes count, sum, mean, min, max, median or distinct of each group, as SQL would.',
  input_schema: {
    type: 'object',
    properties: {
      rows: { type: 'array', items: { type: 'object' } },
      group_by: {
        type: 'array',
        items: { type: 'string' },
        maxItems: 20,
        description: 'Fields; none: all rows are one group',
      },
      measures: {
        type: 'array',
        minItems: 1,
        maxItems: 50,
        items: {
          type: 'object',
          properties: {
            op: { enum: ['count', 'sum', 'mean', 'min', 'max', 'median', 'distinct'] },
            field: { type: 'string', description: 'Not needed for count' },
            as: { type: 'string', description: 'Name in the result; <op>_<field>' },
          },
          required: ['op'],
          additionalProperties: false,
        },
      },
    },
    required: ['rows', 'measures'],
    additionalProperties: false,
  },
  output_schema: {
    type: 'object',
    properties: {
      groups: { type: 'array', items: { type: 'object' }, description: 'In the order of their first rows' },
    },
    required: ['groups'],
  },
}

type Row = Record<string, unknown>

interface Measure {
  op: 'count' | 'sum' | 'mean' | 'min' | 'max' | 'median' | 'distinct'
  field?: string
  as?: string
}

interface Input {
  rows: Row[]
  group_by?: string[]
  measures: Measure[]
}

export default function dataAggregate({ rows, group_by = [], measures }: Input) {
  measures.forEach(({ op, field }, i) => {
    if (op !== 'count' && field === undefined) refuse(`measures.${i}.field`, `is needed for ${op}`)
  })
  const names = [...group_by, ...measures.map((measure) => measure.as ?? nameOf(measure))]
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) refuse('measures', `would give ${twice} twice: name one with as`)
  const groups = new Map<string, Row[]>()
  // As in SQL, no group but all of none: one row with nothing in it.
  if (group_by.length === 0) groups.set('[]', [])
  for (const row of rows) {
    const key = JSON.stringify(group_by.map((field) => fieldOf(row, field) ?? null))
    const known = groups.get(key)
    if (known) known.push(row)
    else groups.set(key, [row])
  }
  return {
    groups: [...groups].map(([key, members]) => summary(JSON.parse(key) as unknown[], members, { group_by, measures })),
  }
}

function summary(key: readonly unknown[], rows: readonly Row[], { group_by = [], measures }: Omit<Input, 'rows'>): Row {
  const measured = measures.map((measure) => [measure.as ?? nameOf(measure), measureOf(measure, rows)])
  return Object.fromEntries([...group_by.map((field, i) => [field, key[i]]), ...measured])
}

function nameOf({ op, field }: Measure): string {
  return field === undefined ? op : `${op}_${field}`
}

/** What is absent or null does not count; without anything to measure the result is null, and 0 of counts. */
function measureOf({ op, field }: Measure, rows: readonly Row[]): unknown {
  if (field === undefined) return rows.length
  const values = rows.map((row) => fieldOf(row, field)).filter((value) => value !== undefined && value !== null)
  if (op === 'count') return values.length
  if (op === 'distinct') return new Set(values.map((value) => JSON.stringify(value))).size
  if ((op === 'min' || op === 'max') && values.every((value) => typeof value === 'string')) {
    const sorted = values.toSorted()
    return (op === 'min' ? sorted[0] : sorted.at(-1)) ?? null
  }
  const numbers = values.map((value, i) =>
    typeof value === 'number' ? value : refuse('rows', `has a ${field} that is no number (${i + 1} of its group)`),
  )
  if (numbers.length === 0) return null
  const result = OF_NUMBERS[op](numbers)
  return Number.isFinite(result) ? result : refuse('rows', `has values of ${field} too large for their ${op}`)
}

/** Not what every object has, such as a constructor. */
function fieldOf(row: Row, field: string): unknown {
  return Object.hasOwn(row, field) ? row[field] : undefined
}

const OF_NUMBERS = {
  sum: total,
  mean: (numbers: number[]) => total(numbers) / numbers.length,
  min: (numbers: number[]) => numbers.reduce((a, b) => Math.min(a, b)),
  max: (numbers: number[]) => numbers.reduce((a, b) => Math.max(a, b)),
  median: (numbers: number[]) => {
    const sorted = numbers.toSorted((a, b) => a - b)
    const half = sorted.length >> 1
    const upper = sorted[half] ?? 0
    return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? 0) + upper) / 2
  },
}

/** By Neumaier, so that 0.1 ten times is 1. */
function total(numbers: number[]): number {
  let [sum, lost] = [0, 0]
  for (const number of numbers) {
    const next = sum + number
    lost += Math.abs(sum) >= Math.abs(number) ? sum - next + number : number - next + sum
    sum = next
  }
  return sum + lost
}
