import { execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type Opened, open } from '@story-portal/shared/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const folders: string[] = []
const folder = () => {
  const made = realpathSync(mkdtempSync(path.join(tmpdir(), 'story-portal-drift-')))
  folders.push(made)
  return made
}
afterAll(() => {
  for (const one of folders) rmSync(one, { recursive: true, force: true })
})

const env = {
  ...{ PATH: process.env['PATH'], HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1' },
  ...{ GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a@x', GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a@x' },
}

/** A folder with a repository, and what people do in it. */
function repository(root: string) {
  const at = (file: string) => path.join(root, file)
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: root, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  const write = (file: string, text: string) => {
    mkdirSync(path.dirname(at(file)), { recursive: true })
    writeFileSync(at(file), text)
  }
  const commit = (message = 'x') => {
    git('add', '-A')
    git('commit', '-qm', message)
  }
  return { at, git, write, commit, head: () => git('rev-parse', 'HEAD') }
}

/** Lines enough that git calls a file with one more the same. */
const text = (name: string, more = '') => `${Array.from({ length: 20 }, (_, i) => `${name} ${i}\n`).join('')}${more}`
const KEY_FILES = ['a.ts', 'src/b.ts', 'c.ts', 'd.ts', 'e.ts', 'f.bin', 'link.ts', 'late.ts'].map((file) => ({
  path: file,
}))
const opened = (cwd: string) =>
  open('context-orchestrator', { caller: { client: { surface: 'stdio', name: 't', cwd } } })

const ahead = (came: number) => ({ how: 'ahead', came, lost: 0 })
const behind = (lost: number) => ({ how: 'behind', came: 0, lost })
const diverged = (came: number, lost: number) => ({ how: 'diverged', came, lost })
const edited = (file: string) => ({ path: file, change: 'edited' })
const gone = (file: string) => ({ path: file, change: 'gone' })
const moved = (file: string, to: string) => ({ path: file, change: 'moved', to })
const unchecked = (file: string, reason: string) => ({ path: file, reason })

interface Expected {
  branch?: [was: string | null, now: string | null]
  commit?: object
  files?: object[]
  unchecked?: object[]
}

const repo = repository(folder())
const { at, git, write, commit } = repo

/** What happens to the repository after a save, and what the drift is then, to the letter; the next save is made after it. */
const HISTORY: [name: string, change: () => void, expected: Expected][] = [
  ['nothing', () => {}, {}],
  ['an edit', () => write('a.ts', text('a', 'one')), { files: [edited('a.ts')] }],
  ['the edit taken back', () => git('checkout', '-q', '--', 'a.ts'), { files: [edited('a.ts')] }],
  [
    'an edit and back again',
    () => {
      write('a.ts', 'x')
      git('checkout', '-q', '--', 'a.ts')
    },
    {},
  ],
  ['another file edited', () => write('other.ts', 'new'), {}],
  ['that one committed', () => commit(), { commit: ahead(1) }],
  [
    'an edit committed',
    () => {
      write('src/b.ts', text('b', 'two'))
      commit()
    },
    { commit: ahead(1), files: [edited('src/b.ts')] },
  ],
  ['that commit reverted', () => git('revert', '--no-edit', 'HEAD'), { commit: ahead(1), files: [edited('src/b.ts')] }],
  [
    'a commit and its revert',
    () => {
      write('a.ts', 'x')
      commit()
      git('revert', '--no-edit', 'HEAD')
    },
    { commit: ahead(2) },
  ],
  ['a rename, staged', () => git('mv', 'a.ts', 'a2.ts'), { files: [moved('a.ts', 'a2.ts')] }],
  [
    'that rename taken back and committed',
    () => {
      git('mv', 'a2.ts', 'a.ts')
      write('o', '1')
      commit()
    },
    { commit: ahead(1), files: [{ path: 'a.ts', change: 'appeared' }] },
  ],
  [
    'a rename, committed',
    () => {
      git('mv', 'c.ts', 'src/c.ts')
      commit()
    },
    { commit: ahead(1), files: [moved('c.ts', 'src/c.ts')] },
  ],
  ['a file moved without git', () => renameSync(at('d.ts'), at('src/d.ts')), { files: [moved('d.ts', 'src/d.ts')] }],
  [
    'two renames in two commits',
    () => {
      git('add', '-A')
      git('mv', 'e.ts', 'e2.ts')
      commit()
      git('mv', 'e2.ts', 'e3.ts')
      commit()
    },
    { commit: ahead(2), files: [moved('e.ts', 'e3.ts')] },
  ],
  [
    'a rename with an edit',
    () => {
      git('mv', 'a.ts', 'a4.ts')
      write('a4.ts', text('a', 'four'))
      commit()
    },
    { commit: ahead(1), files: [{ ...moved('a.ts', 'a4.ts'), edited: true }] },
  ],
  ['a binary file edited', () => write('f.bin', '\0\x01\x02'), { files: [edited('f.bin')] }],
  ['made executable', () => execFileSync('chmod', ['+x', at('f.bin')]), {}],
  ['removed', () => rmSync(at('f.bin')), { files: [gone('f.bin')] }],
  ['the removal committed', () => commit(), { commit: ahead(1) }],
  [
    'a key file made that was not there',
    () => write('late.ts', text('late')),
    { files: [{ path: 'late.ts', change: 'appeared' }] },
  ],
  [
    'a copy, which was there before, and the first one removed',
    () => {
      rmSync(at('late.ts'))
    },
    { files: [gone('late.ts')] },
  ],
  [
    'a branch made',
    () => {
      git('checkout', '-qfB', 'feature')
      git('clean', '-qfd')
    },
    { branch: ['main', 'feature'] },
  ],
  [
    'a commit there and back to main',
    () => {
      write('src/b.ts', text('b', 'feature'))
      commit()
      git('checkout', '-q', 'main')
    },
    { branch: ['feature', 'main'] },
  ],
  [
    'to the branch again',
    () => git('checkout', '-q', 'feature'),
    { branch: ['main', 'feature'], commit: ahead(1), files: [edited('src/b.ts')] },
  ],
  [
    'a rebase on a newer main',
    () => {
      git('checkout', '-q', 'main')
      write('o', '2')
      commit()
      git('checkout', '-q', 'feature')
      git('rebase', '-q', 'main')
    },
    { commit: diverged(2, 1) },
  ],
  ['an amended commit', () => git('commit', '-q', '--amend', '-m', 'better'), { commit: diverged(1, 1) }],
  ['a hard reset', () => git('reset', '-q', '--hard', 'HEAD~1'), { commit: behind(1), files: [edited('src/b.ts')] }],
  ['a detached head', () => git('checkout', '-q', '--detach'), { branch: ['feature', null] }],
  [
    'an older commit',
    () => git('checkout', '-q', 'HEAD~2'),
    { commit: behind(2), files: [{ path: 'f.bin', change: 'appeared' }] },
  ],
  [
    'main again',
    () => git('checkout', '-q', 'main'),
    { branch: [null, 'main'], commit: ahead(2), files: [gone('f.bin')] },
  ],
  [
    'a merge',
    () => {
      git('branch', '-qf', 'side', 'HEAD~1')
      git('checkout', '-q', 'side')
      write('src/b.ts', text('b', 'side'))
      commit()
      git('checkout', '-q', 'main')
      git('merge', '-q', '--no-edit', 'side')
    },
    { commit: ahead(2), files: [edited('src/b.ts')] },
  ],
  [
    'a cherry-pick',
    () => {
      git('checkout', '-q', 'side')
      write('p', '1')
      commit()
      git('checkout', '-q', 'main')
      git('cherry-pick', 'side')
    },
    { commit: ahead(1) },
  ],
  [
    'an edit stashed away',
    () => {
      write('src/b.ts', 'x')
      git('stash', '-q')
    },
    {},
  ],
  ['the stash applied', () => git('stash', 'pop', '-q'), { files: [edited('src/b.ts')] }],
  ['a branch renamed', () => git('branch', '-m', 'trunk'), { branch: ['main', 'trunk'] }],
  ['a tag', () => git('tag', 'v1'), {}],
  [
    'a folder in its place',
    () => {
      rmSync(at('src/b.ts'))
      mkdirSync(at('src/b.ts'))
    },
    { unchecked: [unchecked('src/b.ts', 'It is a folder.')] },
  ],
  [
    'a file again',
    () => {
      rmSync(at('src/b.ts'), { recursive: true })
      write('src/b.ts', text('b'))
    },
    { unchecked: [unchecked('src/b.ts', 'It is a folder.')] },
  ],
  [
    'a link to the same bytes',
    () => {
      cpSync(at('src/b.ts'), at('same.ts'))
      rmSync(at('src/b.ts'))
      symlinkSync('../same.ts', at('src/b.ts'))
    },
    {},
  ],
  [
    'a link out of the project',
    () => symlinkSync('/etc/passwd', at('link.ts')),
    { unchecked: [unchecked('link.ts', "It is not below the project's folder.")] },
  ],
  [
    'a saved commit that is gone for good',
    () => {
      git('tag', '-d', 'v1')
      git('commit', '-q', '--amend', '-m', 'another')
      git('reflog', 'expire', '--expire=now', '--all')
      git('gc', '-q', '--prune=now')
    },
    { commit: { how: 'unknown' }, unchecked: [unchecked('link.ts', "It is not below the project's folder.")] },
  ],
]

describe('after a save', () => {
  let tools: Opened
  beforeAll(async () => {
    git('init', '-q', '-b', 'main')
    for (const file of ['a', 'src/b', 'c', 'd', 'e']) write(`${file}.ts`, text(path.basename(file)))
    write('f.bin', '\0\x01')
    write('copy-of-late.ts', text('late'))
    commit()
    tools = await opened(repo.at('src'))
  })

  test(`${HISTORY.length} changes of a repository: each is reported as it is, and nothing else`, async () => {
    for (const [name, change, expected] of HISTORY) {
      const { version } = await tools.call('save_context_snapshot', { updates: { goal: 'g', key_files: KEY_FILES } })
      const was = repo.head()
      change()
      const { drift } = await tools.call('get_unified_context')
      const [branchWas, branchNow] = expected.branch ?? []
      expect(drift, name).toEqual({
        checked: true,
        drifted: expected.branch !== undefined || expected.commit !== undefined || (expected.files ?? []).length > 0,
        since_version: version,
        ...(expected.branch && { branch: { was: branchWas, now: branchNow } }),
        ...(expected.commit && { commit: { was, now: repo.head(), ...expected.commit } }),
        ...{ files: expected.files ?? [], unchecked: expected.unchecked ?? [] },
      })
    }
  }, 120_000)
})

test('recovery and a rollback say it too, the prompt before all else; names from the repository stay one line', async () => {
  const { at, git, write, commit } = repository(folder())
  git('init', '-q', '-b', 'main')
  const odd = 'new\nline.ts'
  for (const file of ['a.ts', odd]) write(file, text(file))
  commit()
  const { call } = await opened(at('.'))
  const key_files = [{ path: 'a.ts' }, { path: odd }]
  const { task_id } = await call('save_context_snapshot', {
    updates: { goal: 'Ship', next_action: 'Go on', key_files },
  })
  git('checkout', '-qb', 'other')
  write('a.ts', 'x')
  rmSync(at(odd))
  const [session] = (await call('check_recovery')).sessions
  const files = [edited('a.ts'), gone(odd)]
  expect(session).toMatchObject({ task_id, drift: { checked: true, branch: { was: 'main', now: 'other' }, files } })
  expect(session.resume_prompt).toMatch(
    /^You go on with "Ship".*\n\nChanged since then:\n- branch: main was, other is\n- a.ts: edited\n- new\?line.ts: gone\n\nNext action: Go on/,
  )
  await call('save_context_snapshot', { updates: { notes: 'as it is now' } })
  expect((await call('get_unified_context')).drift).toMatchObject({ drifted: false })
  const back = await call('rollback_to', { target: { type: 'version', version: 1 } })
  expect(back.drift).toMatchObject({ drifted: true, since_version: 1, branch: { was: 'main', now: 'other' }, files })
  // The restored version saw what the old one did.
  expect((await call('get_unified_context')).drift).toMatchObject({ since_version: 3, files })
})

test('a repository without commits, and a folder without git', async () => {
  const { at, git, write, commit } = repository(folder())
  write('a.ts', text('a'))
  const { call } = await opened(at('.'))
  const save = () => call('save_context_snapshot', { updates: { goal: 'g', key_files: [{ path: 'a.ts' }] } })
  const drift = async () => (await call('get_unified_context')).drift
  await save()
  renameSync(at('a.ts'), at('b.ts'))
  expect(await drift()).toEqual({
    checked: true,
    drifted: true,
    since_version: 1,
    files: [gone('a.ts')],
    unchecked: [],
  })
  renameSync(at('b.ts'), at('a.ts'))
  git('init', '-q', '-b', 'main')
  expect(await drift()).toMatchObject({ drifted: false })
  const { version, changed } = await save()
  expect({ version, changed }).toEqual({ version: 2, changed: ['world'] })
  renameSync(at('a.ts'), at('b.ts'))
  expect(await drift()).toMatchObject({ files: [moved('a.ts', 'b.ts')] })
  commit()
  expect(await drift()).toMatchObject({ commit: { was: null, how: 'ahead', came: 1 }, files: [moved('a.ts', 'b.ts')] })
})

test('what a repository or a list of files could set off is not: programs, pipes, paths that lead out', async () => {
  const { at, git, write, commit } = repository(folder())
  git('init', '-q', '-b', 'main')
  write('a.ts', text('a'))
  commit()
  write('run', `#!/bin/sh\ntouch ${at('ran')}\ncat\n`)
  execFileSync('chmod', ['+x', at('run')])
  write('.gitattributes', '* filter=x diff=x\n')
  for (const key of [
    'core.fsmonitor',
    'filter.x.clean',
    'filter.x.smudge',
    'diff.x.textconv',
    'diff.external',
    'core.pager',
  ])
    git('config', key, at('run'))
  execFileSync('mkfifo', [at('pipe')])
  const { call } = await opened(at('.'))
  const key_files = ['a.ts', 'pipe', '../../etc/passwd', '/etc/passwd', '.', 'a.ts/x', '--output=x'].map((file) => ({
    path: file,
  }))
  await call('save_context_snapshot', { updates: { goal: 'g', key_files } })
  renameSync(at('a.ts'), at('moved.ts'))
  const { drift } = await call('get_unified_context')
  expect(drift).toMatchObject({
    files: [moved('a.ts', 'moved.ts')],
    unchecked: [
      unchecked('.', 'It is a folder.'),
      unchecked('../../etc/passwd', "It is not below the project's folder."),
      unchecked('/etc/passwd', "It is not below the project's folder."),
      unchecked('pipe', 'It is no ordinary file.'),
    ],
  })
  expect(existsSync(at('ran'))).toBe(false)
})

test('a client that tells no folder, and one in another folder, hear that nothing was compared', async () => {
  const { at, write } = repository(folder())
  write('a.ts', text('a'))
  const { call, db, tenant } = await opened(at('.'))
  const { task_id } = await call('save_context_snapshot', { updates: { goal: 'g', key_files: [{ path: 'a.ts' }] } })
  const from = async (client: object) => {
    const caller = { tenant_id: tenant, client: { surface: 'stdio' as const, name: 't', ...client } }
    return (await (await open('context-orchestrator', { db, caller })).call('get_unified_context', { task_id })).drift
  }
  expect(await from({})).toEqual({ checked: false, reason: 'The client tells no folder, so nothing was compared.' })
  const elsewhere = { checked: false, reason: "The project's folder is not in the client's." }
  expect(await from({ cwd: folder() })).toEqual(elsewhere)
})
