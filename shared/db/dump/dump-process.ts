// Opens a copy of an embedded database and dumps it; prints what was written as JSON. Arguments: home, file, when it was copied.
import os from 'node:os'
import { loadConfig } from '../../config/index.ts'
import { createLogger } from '../../telemetry/index.ts'
import { openDatabase } from '../database.ts'
import { writeDump } from './write-dump.ts'

const [home = '', file = '', made_at = ''] = process.argv.slice(2)
process.stdin.resume().on('end', () => process.exit(1))
os.setPriority(os.constants.priority.PRIORITY_BELOW_NORMAL)

// The copy is thrown away: nothing of it has to reach the disk.
const config = loadConfig({ root: home, env: { STORY_PORTAL_HOME: home, STORY_PORTAL_DB_FSYNC: 'false' } })
const db = await openDatabase(config, { log: createLogger({ name: 'dump', level: 'silent' }) })
const dumped = await writeDump(db, file, made_at)
await db.close()
process.stdout.write(JSON.stringify(dumped))
process.exit(0)
