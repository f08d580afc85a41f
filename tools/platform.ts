// All servers in one process over the embedded database (or, for development, over DATABASE_URL).
import { loadConfig } from '@story-portal/shared/config'
import { runHost } from './host.ts'
import { rootDir } from './launch.js'
import { runProcess } from './process.ts'
import { serverFolders } from './registry.ts'

await runProcess('platform', () => {
  const config = loadConfig({ env: process.env, root: rootDir })
  const servers = serverFolders()
  return { home: config.home, servers, start: () => runHost(config, { name: 'platform', servers, migrate: true }) }
})
