import { words } from './words.ts'

/** Words of which one may stand for another in a query: what people say, beside what tools are called. */
const GROUPS = [
  'create make new add build write compose set',
  'get show read see view fetch open display look',
  'list all every browse show',
  'find search look locate query',
  'update change edit modify rename adjust',
  'delete remove erase drop discard',
  'restore undelete recover undo',
  'set change configure store save',
  'run execute start launch begin perform',
  'cancel stop abort kill quit end',
  'pause hold suspend interrupt',
  'claim take pick grab next',
  'complete finish done deliver answer',
  'fail failure wrong broken error',
  'extend prolong longer renew keep',
  'validate check verify test lint',
  'revise change rework replan adapt',
  'register publish add save',
  'invoke call use run',
  'history changes past audit log',
  'event log happened activity',
  'record entity object row item entry',
  'configuration config setting option preference',
  'health status alive state diagnose',
  'invocation call execution',
  'definition schema signature parameter argument',
  'layer server service module',
  'lease lock reservation time',
  'goal objective aim',
  'task step todo job',
  'plan split break divide decompose organise work',
  'workflow template recipe playbook procedure',
  'code script program javascript typescript snippet',
  'projection index view',
]

const byWord = new Map<string, Set<string>>()
for (const group of GROUPS) {
  const same = words(group)
  for (const word of same) {
    const known = byWord.get(word) ?? new Set()
    for (const other of same) if (other !== word) known.add(other)
    byWord.set(word, known)
  }
}

/** Words, as `words` gives them, that may mean the same as this one. */
export function synonymsOf(word: string): ReadonlySet<string> {
  return byWord.get(word) ?? new Set()
}
