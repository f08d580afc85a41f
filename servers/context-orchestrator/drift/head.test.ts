import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { git } from './git.ts'
import { readHead } from './head.ts'

function repository() {
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'story-portal-head-')))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const root = path.join(folder, 'r')
  mkdirSync(root)
  const run = (...args: string[]) => {
    const who = ['-c', 'user.name=x', '-c', 'user.email=x@example.com', '-c', 'protocol.file.allow=always']
    execFileSync('git', [...who, '-C', root, ...args], { stdio: 'pipe' })
  }
  run('init', '-q', '-b', 'main')
  return { root, folder, run, commit: () => run('commit', '-q', '--allow-empty', '-m', 'x') }
}

/** What git itself says of a folder. */
async function asked(folder: string) {
  const commit = (await git(folder, 'rev-parse', '--quiet', '--verify', 'HEAD^{commit}'))?.trim() ?? null
  const branch = (await git(folder, 'symbolic-ref', '--quiet', 'HEAD'))?.trim().replace('refs/heads/', '') ?? null
  return { commit, branch }
}

type Repository = ReturnType<typeof repository>

const STATES: Record<string, (it: Repository) => string | undefined> = {
  'no commit': () => undefined,
  'a commit': () => undefined,
  'below the top': ({ root }) => {
    mkdirSync(path.join(root, 'a/b'), { recursive: true })
    return path.join(root, 'a/b')
  },
  'a branch with slashes, dots and umlauts': ({ run }) => void run('switch', '-q', '-c', 'a/b.c/ü'),
  'packed refs': ({ run }) => void run('pack-refs', '--all'),
  'packed, then moved': ({ run, commit }) => {
    run('pack-refs', '--all')
    commit()
  },
  'packed beside a longer name': ({ run }) => {
    run('branch', 'x/main')
    run('branch', 'main2')
    run('pack-refs', '--all')
  },
  detached: ({ run }) => void run('checkout', '-q', '--detach'),
  'an orphan branch': ({ run }) => void run('checkout', '-q', '--orphan', 'empty'),
  'a tag of the same name': ({ run }) => void run('tag', 'main'),
  'a linked worktree': ({ run, folder }) => {
    run('worktree', 'add', '-q', '-b', 'linked', path.join(folder, 'w'))
    return path.join(folder, 'w')
  },
  'a submodule': ({ run, root, commit }) => {
    run('submodule', '--quiet', 'add', root, 'sub')
    commit()
    return path.join(root, 'sub')
  },
}

test.each(Object.entries(STATES))('reads what git says: %s', async (name, make) => {
  const it = repository()
  if (name !== 'no commit') it.commit()
  const folder = make(it) ?? it.root
  const head = await readHead(folder)
  expect(head).toEqual(await asked(folder))
  expect(head).toBeDefined()
})

test('what is not of the usual form is left to git', async () => {
  const it = repository()
  it.commit()
  const head = path.join(it.root, '.git/HEAD')
  const odd = ['', 'ref: refs/heads/.invalid', 'ref: refs/heads/../../x', 'ref: refs/x', 'ref: refs/heads/a b', 'zz']
  for (const text of odd) {
    writeFileSync(head, `${text}\n`)
    expect([text, await readHead(it.root)]).toEqual([text, undefined])
  }
  rmSync(head)
  execFileSync('mkfifo', [head])
  expect(await readHead(it.root)).toBeUndefined()
  rmSync(head)
  writeFileSync(head, 'ref: refs/heads/other\n')
  writeFileSync(path.join(it.root, '.git/refs/heads/other'), 'ref: refs/heads/main\n')
  expect(await readHead(it.root)).toBeUndefined()
  expect(await readHead(it.folder)).toBeUndefined()
  expect(await readHead(path.join(it.folder, 'gone'))).toBeUndefined()
})
