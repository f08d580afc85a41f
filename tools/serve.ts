// `node tools/serve.ts <server>`: one server in a process of its own over PostgreSQL.
import { ConfigError, loadConfig } from '@story-portal/shared/config'
import { errors } from '@story-portal/shared/errors'
import { runHost } from './host.ts'
import { rootDir } from './launch.js'
import { runProcess } from './process.ts'
import { serverFolders } from './registry.ts'

const name = process.argv[2] ?? ''

await runProcess(name, () => {
  if (!serverFolders().includes(name)) throw errors.unknownServer({ server: name })
  const config = loadConfig({ env: process.env, root: rootDir })
  if (config.mode === 'embedded') {
    const message = 'is needed to run servers in processes of their own; "story-portal up" runs all in one without it'
    throw new ConfigError([{ path: 'DATABASE_URL', message }])
  }
  return {
    home: config.home,
    servers: [name],
    start: () => runHost(config, { name, servers: [name], migrate: false }),
  }
})
