import type { CommitDrift, Drift, FileDrift } from './drift.ts'

const MOST_OF_A_NAME = 120

/** A drift in words, a line each, the most telling first; nothing where nothing has changed. In `most` bytes, the rest counted. */
export function driftLines(drift: Drift, most: number): string[] {
  const planned = (drift.linked ?? []).map(({ title, status }) => `planning: "${name(title)}" is ${status}`)
  const { branch, commit, files = [] } = drift.checked ? drift : {}
  const all = [
    ...(branch ? [`branch: ${name(branch.was ?? 'none')} was, ${name(branch.now ?? 'none')} is`] : []),
    ...(commit ? [commitLine(commit)] : []),
    ...planned,
    ...files.map(fileLine),
  ]
  let left = most
  const shown = all.filter((line) => {
    left -= Buffer.byteLength(line) + 3
    return left >= 0
  })
  const more = all.length - shown.length
  return more === 0 ? shown : [...shown, `${more} more changes: get_unified_context has them in drift`]
}

function commitLine({ was, now, how, came = 0, lost = 0 }: CommitDrift): string {
  const from = was?.slice(0, 10) ?? 'none'
  const to = now?.slice(0, 10) ?? 'none'
  if (how === 'ahead') return `commit: ${count(came)} came, ${from} to ${to}`
  if (how === 'behind') return `commit: back by ${count(lost)}, ${from} to ${to}`
  if (how === 'diverged')
    return `commit: history differs, ${count(lost)} not in it any more, ${count(came)} new, ${from} to ${to}`
  return `commit: ${from} was, ${to} is; how they are related is not known`
}

function count(commits: number): string {
  return commits === 1 ? '1 commit' : `${commits} commits`
}

function fileLine({ path, change, to, edited }: FileDrift): string {
  if (change !== 'moved') return `${name(path)}: ${change}`
  return `${name(path)}: moved to ${name(to ?? '')}${edited ? ' and edited' : ''}`
}

/** Names come from a repository: one line, and not a page of it. */
function name(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?')
  return line.length > MOST_OF_A_NAME ? `…${line.slice(1 - MOST_OF_A_NAME)}` : line
}
