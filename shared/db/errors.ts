import { defineErrors } from '../errors/index.ts'

/** Cases of the database, whatever the driver said. */
export const dbErrors = defineErrors(0, {
  unreachable: {
    number: 'E0101',
    code: 'UNAVAILABLE',
    severity: 'error',
    message: 'The database can not be reached.',
    hint: 'Try again in a moment; "story-portal doctor" says what is wrong.',
  },
  duplicate: {
    number: 'E0102',
    code: 'CONFLICT',
    severity: 'info',
    message: 'There is already an entry in {table} with these values ({constraint}).',
    hint: 'Use other values, or read and change the one that exists.',
  },
  missingReference: {
    number: 'E0103',
    code: 'INVALID_INPUT',
    severity: 'info',
    message: 'The entry for {table} refers to something that does not exist ({constraint}).',
    hint: 'Create what it refers to first, or correct the id.',
  },
  stillReferenced: {
    number: 'E0104',
    code: 'CONFLICT',
    severity: 'info',
    message: 'The entry in {table} is still referred to ({constraint}).',
    hint: 'Delete or change what refers to it first.',
  },
  refusedValue: {
    number: 'E0105',
    code: 'INVALID_INPUT',
    severity: 'info',
    message: 'A value does not fit {what}.',
    hint: 'Compare the values with the description of the fields; get_tool_definition shows it.',
  },
  busy: {
    number: 'E0106',
    code: 'UNAVAILABLE',
    severity: 'warning',
    message: 'Others were changing the same entries at the same time, for too long.',
    hint: 'Try again; nothing was changed.',
  },
  tooSlow: {
    number: 'E0107',
    code: 'UNAVAILABLE',
    severity: 'error',
    message: 'A statement took longer than the database allows and was ended.',
    hint: 'Ask for less at a time, or raise STORY_PORTAL_DB_MAX_QUERY_MS (embedded) or STORY_PORTAL_DB_STATEMENT_TIMEOUT_MS.',
  },
  idleTransaction: {
    number: 'E0108',
    code: 'UNAVAILABLE',
    severity: 'error',
    message: 'A transaction stood still for too long and was rolled back.',
    hint: 'Try again; nothing was changed.',
  },
  diskFull: {
    number: 'E0109',
    code: 'UNAVAILABLE',
    severity: 'critical',
    message: 'The disk of the database is full.',
    hint: 'Free space on it; the platform goes on by itself, nothing acknowledged is lost.',
  },
  outOfResources: {
    number: 'E0110',
    code: 'UNAVAILABLE',
    severity: 'critical',
    message: 'The database is out of memory or connections.',
    hint: 'Lower STORY_PORTAL_DB_POOL_MAX or give the database more; then try again.',
  },
  refusedLogin: {
    number: 'E0111',
    code: 'UNAVAILABLE',
    severity: 'critical',
    message: 'The database refuses this login.',
    hint: 'Check user, password and database name in DATABASE_URL.',
  },
  notMigrated: {
    number: 'E0112',
    code: 'UNAVAILABLE',
    severity: 'critical',
    message: 'The database has not the tables this version needs.',
    hint: 'Run "story-portal migrate".',
  },
  newerVersion: {
    number: 'E0113',
    code: 'UNAVAILABLE',
    severity: 'critical',
    message: 'The database was changed by a newer version of the platform: {what}.',
    hint: 'Run the newer version again, or use another STORY_PORTAL_HOME or DATABASE_URL.',
  },
  locked: {
    number: 'E0114',
    code: 'UNAVAILABLE',
    severity: 'error',
    message: 'The data directory {home} is in use by process {pid} since {since}.',
    hint: 'Stop it with "story-portal down", or choose another directory with STORY_PORTAL_HOME.',
  },
  notWritable: {
    number: 'E0115',
    code: 'UNAVAILABLE',
    severity: 'critical',
    message: 'The data directory {home} can not be written ({reason}).',
    hint: 'Give this user the right to write there, or choose another directory with STORY_PORTAL_HOME.',
  },
  otherMajor: {
    number: 'E0116',
    code: 'UNAVAILABLE',
    severity: 'critical',
    message: 'The data directory {home} was made by PostgreSQL {found}, this version embeds {expected}.',
    hint: 'Use the release that made it, or choose another directory with STORY_PORTAL_HOME; the data stays as it is.',
  },
  damaged: {
    number: 'E0117',
    code: 'UNAVAILABLE',
    severity: 'critical',
    message: 'The embedded database in {home} does not open.',
    hint: '"story-portal logs" shows why. Free disk space if there is none; otherwise restore a backup, or choose another directory with STORY_PORTAL_HOME.',
  },
  migrationFailed: {
    number: 'E0118',
    code: 'UNAVAILABLE',
    severity: 'critical',
    message: 'The migration {name} failed; the database is as it was before it.',
    hint: '"story-portal logs" shows why; correct the cause and run "story-portal migrate" again.',
  },
  restarting: {
    number: 'E0119',
    code: 'UNAVAILABLE',
    severity: 'warning',
    message: 'The embedded database is starting again.',
    hint: 'Try again in a second.',
  },
  unknownOutcome: {
    number: 'E0120',
    code: 'UNAVAILABLE',
    severity: 'error',
    message: 'The connection broke during the commit: the change may or may not have happened.',
    hint: 'Read the current state, or repeat the call with the same idempotency_key.',
  },
  closed: {
    number: 'E0121',
    code: 'UNAVAILABLE',
    severity: 'warning',
    message: 'The database of this process is closed.',
    hint: 'The platform is stopping; try again once it runs.',
  },
  appendOnly: {
    number: 'E0122',
    code: 'CONFLICT',
    severity: 'warning',
    message: 'Entries of {table} can not be changed or removed.',
    hint: 'Add a new entry that corrects the old one.',
  },
  migrationBusy: {
    number: 'E0123',
    code: 'UNAVAILABLE',
    severity: 'error',
    message: 'The migration could not get its lock: the platform, or another migration, holds it.',
    hint: 'Wait until it is finished, or stop the platform with "story-portal down"; then run "story-portal migrate" again.',
  },
})

/** SQLSTATEs our own triggers raise; `detail` holds a JSON object with the parameters of the error. */
export const SQLSTATE = {
  /** detail: `{kind, from, to, allowed}` -> E0013. */
  illegalTransition: 'SP001',
  /** detail: `{table}` -> E0122. */
  appendOnly: 'SP002',
  /** detail: `{stream, actual, expected}` -> E0012. */
  wrongVersion: 'SP004',
} as const
