import type { Config } from '@story-portal/shared/config'

/** What a person must know about where the data is, in a few words; doctor and README say more. */
export function durability(config: Config): string {
  if (config.mode === 'distributed') return 'PostgreSQL (as durable as that server is set up)'
  return config.db.fsync
    ? 'embedded database (survives a killed process and a power cut: every commit waits for the disk)'
    : 'embedded database without fsync (survives a killed process, not a power cut)'
}
