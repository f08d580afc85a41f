import { statSync } from 'node:fs'
import path from 'node:path'
import { projectFiles, read, root } from './source-files.ts'

interface Pattern {
  what: string
  find: RegExp
  /** Files in which it is in order. */
  except?: RegExp
}

/** Tests of the redaction and of this check need things to find. */
const EXAMPLES = /^shared\/telemetry\/.*\.test\.ts$/

const PATTERNS: Pattern[] = [
  {
    what: "an absolute path of somebody's machine",
    find: /(?<![\w.:/@])\/(home|Users|root|work)\/[\w.-]+/,
    except: EXAMPLES,
  },
  {
    what: 'the address of a package registry or mirror',
    find: /\b(registry\.(npmjs|yarnpkg|npmmirror)|deb\.debian|archive\.ubuntu|security\.debian)\.\w+/,
  },
  { what: 'a private key', find: /-----BEGIN [A-Z ]*PRIVATE KEY-----/, except: EXAMPLES },
  {
    what: 'an access token',
    find: /\b(gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{30,}|sk-[A-Za-z0-9]{32,}|xox[abp]-[\w-]{20,}|AKIA[0-9A-Z]{16})\b/,
    except: EXAMPLES,
  },
  { what: 'a JSON Web Token', find: /\beyJ[\w-]{20,}\.eyJ[\w-]{20,}\.[\w-]{20,}/ },
  {
    what: 'a password in an address',
    find: /\b(postgres(ql)?|redis|https?):\/\/[\w.-]*:(?!secret\b|password\b|\$\{)[^@\s/'"`$]+@(?!127\.0\.0\.1|localhost|db\b|example)/,
  },
  { what: 'an unresolved merge', find: /^(<{7}|>{7}) / },
  { what: 'an unfinished mark without a condition', find: /\b(TODO|FIXME|XXX)\b(?!.*\b(when|once|until)\b)/ },
]

/** Larger ones are data that belongs elsewhere; the lockfile and generated definitions are what they are. */
const MAX_BYTES = 400_000

/** Nothing in the repository that belongs to one machine, one registry or nobody else. */
export function checkContents(): string[] {
  return projectFiles().flatMap((file) => {
    if (path.basename(file) === 'package-lock.json') return []
    if (statSync(path.join(root, file)).size > MAX_BYTES) return [`${file}: larger than ${MAX_BYTES} bytes`]
    // These files name what they look for.
    return file.startsWith('tools/checks/') ? [] : faultsOf(file)
  })
}

function faultsOf(file: string): string[] {
  return read(file)
    .split('\n')
    .flatMap((line, i) =>
      PATTERNS.filter(({ find, except }) => find.test(line) && !except?.test(file)).map(
        ({ what }) => `${file}:${i + 1}: ${what}`,
      ),
    )
}
