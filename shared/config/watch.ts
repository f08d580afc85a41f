import { ConfigError } from './errors.ts'
import { type Config, type ConfigSource, loadConfig } from './load.ts'
import { SETTINGS, type Setting } from './settings.ts'

export interface ConfigWatcher {
  /** Reads again now; what SIGHUP does. */
  reload(): void
  stop(): void
}

export interface ConfigChange {
  config: Config
  /** Dotted places that were taken over. */
  changed: string[]
  /** Dotted places that differ but need a restart. */
  restart: string[]
}

/**
 * On SIGHUP reads the configuration again, writes the reloadable settings into `config` in place and tells `onChange`. A bad
 * configuration changes nothing and goes to `onError`: a running platform never stops over a typing mistake.
 */
export function watchConfig(
  config: Config,
  source: ConfigSource,
  on: { change: (change: ConfigChange) => void; error: (error: ConfigError) => void },
): ConfigWatcher {
  const reload = () => {
    let next: Config
    try {
      next = loadConfig(source)
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      on.error(error)
      return
    }
    on.change(takeOver(config, next))
  }
  process.on('SIGHUP', reload)
  return { reload, stop: () => void process.off('SIGHUP', reload) }
}

function takeOver(config: Config, next: Config): ConfigChange {
  const change: ConfigChange = { config, changed: [], restart: [] }
  for (const setting of Object.values<Setting>(SETTINGS)) {
    if (!setting.path) continue
    const [holder, key] = locate(config, setting.path)
    const [fresh] = locate(next, setting.path)
    if (!holder || !fresh || holder[key] === fresh[key]) continue
    if (setting.reloadable) holder[key] = fresh[key]
    ;(setting.reloadable ? change.changed : change.restart).push(setting.path)
  }
  return change
}

/** `mcp.max_body_bytes` in config.json is `config.mcp.maxBodyBytes`. */
function locate(config: Config, place: string): [Record<string, unknown> | undefined, string] {
  const keys = place.split('.').map((key) => key.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()))
  const last = keys.pop() ?? ''
  let holder: unknown = config
  for (const key of keys) holder = (holder as Record<string, unknown> | undefined)?.[key]
  return [holder as Record<string, unknown> | undefined, last]
}
