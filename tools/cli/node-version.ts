import { execFileSync } from 'node:child_process'

/** The version of a Node binary, without the v. */
export function nodeVersionOf(node: string): string {
  if (node === process.execPath) return process.versions.node
  return execFileSync(node, ['--version'], { encoding: 'utf8' }).trim().slice(1)
}
