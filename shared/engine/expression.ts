import { canonicalJson } from '../events/index.ts'
import { planErrors } from './errors.ts'
import { lookUp, type Path, readPath } from './path.ts'

/** A parsed condition. There is no call and no assignment in the language, so evaluating one can't do anything. */
export type Expression =
  | { kind: 'literal'; value: unknown }
  | { kind: 'path'; path: Path }
  | { kind: 'not'; operand: Expression }
  | { kind: 'binary'; operator: Operator; left: Expression; right: Expression }

type Operator = 'and' | 'or' | '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in' | 'contains'
type Token = { kind: 'op' | 'open' | 'close'; text: string } | { kind: 'value'; value: Expression }

const MAX_LENGTH = 2_000
const MAX_DEPTH = 50
const SYMBOL =
  /\s*(?:(\{\{|\()|(\}\}|\))|(==|!=|<=|>=|<|>|&&|\|\||!)|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")/y
const WORDS: Record<string, Expression | Operator | 'not'> = {
  and: 'and',
  or: 'or',
  not: 'not',
  in: 'in',
  contains: 'contains',
  true: { kind: 'literal', value: true },
  false: { kind: 'literal', value: false },
  null: { kind: 'literal', value: null },
}
const SYMBOLS: Record<string, string> = { '&&': 'and', '||': 'or', '!': 'not' }
const COMPARISONS = new Set(['==', '!=', '<', '<=', '>', '>=', 'in', 'contains'])

/** Parses `tasks.fetch.output.count > 3 and not plan.input.dry_run`; `{{...}}` may stand around any part. Throws badExpression. */
export function parseExpression(text: string): Expression {
  if (text.length > MAX_LENGTH) throw planErrors.badExpression({ reason: `it is longer than ${MAX_LENGTH} characters` })
  return new Parser(tokenize(text)).parse()
}

/** Every path that the expression reads. */
export function expressionPaths(expression: Expression): Path[] {
  if (expression.kind === 'path') return [expression.path]
  if (expression.kind === 'not') return expressionPaths(expression.operand)
  if (expression.kind === 'binary') return [...expressionPaths(expression.left), ...expressionPaths(expression.right)]
  return []
}

/** Evaluates against `{tasks, goal, plan, item, index}`. A missing path is null; an order between different types is false. */
export function evaluate(expression: Expression, context: unknown): unknown {
  switch (expression.kind) {
    case 'literal':
      return expression.value
    case 'path':
      return lookUp(context, expression.path) ?? null
    case 'not':
      return !isTrue(evaluate(expression.operand, context))
    case 'binary':
      return binary(expression, context)
  }
}

/** null, false, 0 and the empty text are false; everything else is true. */
export function isTrue(value: unknown): boolean {
  return value !== null && value !== undefined && value !== false && value !== 0 && value !== ''
}

function binary(e: Expression & { kind: 'binary' }, context: unknown): unknown {
  const left = evaluate(e.left, context)
  if (e.operator === 'and') return isTrue(left) && isTrue(evaluate(e.right, context))
  if (e.operator === 'or') return isTrue(left) || isTrue(evaluate(e.right, context))
  const right = evaluate(e.right, context)
  switch (e.operator) {
    case '==':
      return same(left, right)
    case '!=':
      return !same(left, right)
    case 'in':
      return includes(right, left)
    case 'contains':
      return includes(left, right)
    default:
      return ordered(e.operator, left, right)
  }
}

function same(left: unknown, right: unknown): boolean {
  return left === right || canonicalJson(left) === canonicalJson(right)
}

function includes(whole: unknown, part: unknown): boolean {
  if (typeof whole === 'string') return typeof part === 'string' && whole.includes(part)
  return Array.isArray(whole) && whole.some((item) => same(item, part))
}

function ordered(operator: string, left: unknown, right: unknown): boolean {
  const comparable =
    (typeof left === 'number' && typeof right === 'number') || (typeof left === 'string' && typeof right === 'string')
  if (!comparable) return false
  if (operator === '<') return left < right
  if (operator === '<=') return left <= right
  return operator === '>' ? left > right : left >= right
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  while (text.slice(at).trim() !== '') {
    SYMBOL.lastIndex = at
    const symbol = SYMBOL.exec(text)
    if (symbol) {
      tokens.push(symbolToken(symbol))
      at = SYMBOL.lastIndex
      continue
    }
    const start = at + (text.slice(at).length - text.slice(at).trimStart().length)
    const read = readPath(text, start)
    if (!read)
      throw planErrors.badExpression({ reason: `"${text.slice(start, start + 12)}" at character ${start + 1}` })
    tokens.push(wordToken(read.path))
    at = read.end
  }
  return tokens
}

function symbolToken(m: RegExpExecArray): Token {
  if (m[1]) return { kind: 'open', text: m[1] }
  if (m[2]) return { kind: 'close', text: m[2] }
  if (m[3]) return { kind: 'op', text: SYMBOLS[m[3]] ?? m[3] }
  if (m[4]) return { kind: 'value', value: { kind: 'literal', value: Number(m[4]) } }
  return { kind: 'value', value: { kind: 'literal', value: (m[5] ?? m[6] ?? '').replace(/\\(.)/g, '$1') } }
}

function wordToken(path: Path): Token {
  const name = String(path[0]).toLowerCase()
  const word = path.length === 1 && Object.hasOwn(WORDS, name) ? WORDS[name] : undefined
  if (typeof word === 'string') return { kind: 'op', text: word }
  return { kind: 'value', value: word ?? { kind: 'path', path } }
}

class Parser {
  readonly #tokens: Token[]
  #at = 0
  #depth = 0

  constructor(tokens: Token[]) {
    this.#tokens = tokens
  }

  parse(): Expression {
    const expression = this.#either()
    if (this.#at < this.#tokens.length) throw planErrors.badExpression({ reason: 'there is something after its end' })
    return expression
  }

  #either(): Expression {
    let left = this.#both()
    while (this.#take('or')) left = { kind: 'binary', operator: 'or', left, right: this.#both() }
    return left
  }

  #both(): Expression {
    let left = this.#negation()
    while (this.#take('and')) left = { kind: 'binary', operator: 'and', left, right: this.#negation() }
    return left
  }

  #negation(): Expression {
    if (!this.#take('not')) return this.#comparison()
    this.#descend()
    const operand = this.#negation()
    this.#depth--
    return { kind: 'not', operand }
  }

  #comparison(): Expression {
    const left = this.#operand()
    const token = this.#tokens[this.#at]
    if (token?.kind !== 'op' || !COMPARISONS.has(token.text)) return left
    this.#at++
    return { kind: 'binary', operator: token.text as Operator, left, right: this.#operand() }
  }

  #operand(): Expression {
    const token = this.#tokens[this.#at++]
    if (token?.kind === 'value') return token.value
    if (token?.kind !== 'open')
      throw planErrors.badExpression({ reason: token ? `"${token.text}" has no value beside it` : 'it ends too early' })
    this.#descend()
    const inner = this.#either()
    this.#depth--
    const close = this.#tokens[this.#at++]
    if (close?.kind !== 'close' || close.text !== (token.text === '(' ? ')' : '}}')) {
      throw planErrors.badExpression({ reason: `"${token.text}" is not closed` })
    }
    return inner
  }

  #take(operator: string): boolean {
    const token = this.#tokens[this.#at]
    if (token?.kind !== 'op' || token.text !== operator) return false
    this.#at++
    return true
  }

  #descend(): void {
    if (++this.#depth > MAX_DEPTH) throw planErrors.badExpression({ reason: `it is nested deeper than ${MAX_DEPTH}` })
  }
}
