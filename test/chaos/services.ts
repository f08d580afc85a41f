import type { ServerManifest } from '@story-portal/shared/mcp'
import { type FaultProxy, startFaultProxy } from '../../shared/testing/fault-proxy.ts'
import { startPostgres, type TestPostgres } from '../../shared/testing/postgres.ts'
import { startRedis, type TestRedis } from '../../shared/testing/redis.ts'

/** A private PostgreSQL and Redis, and every line of the platform to them and between its servers, through proxies. */
export interface Services {
  postgres: TestPostgres
  redis: TestRedis
  lines: { postgres: FaultProxy; redis: FaultProxy }
  /** How servers reach each other, by server name. */
  between: ReadonlyMap<string, FaultProxy>
  /** What the platform is told of all this. */
  settings: Record<string, string>
  stop(): Promise<void>
}

export async function startServices(servers: readonly ServerManifest[], base: number): Promise<Services> {
  const [postgres, redis] = await Promise.all([startPostgres({ own: true }), startRedis({ own: true })])
  const lines = { postgres: await proxyOf(postgres.url), redis: await proxyOf(redis.url) }
  const between = new Map<string, FaultProxy>()
  const settings: Record<string, string> = {
    DATABASE_URL: lines.postgres.through(postgres.url),
    REDIS_URL: lines.redis.through(redis.url),
  }
  for (const { name, port } of servers) {
    const proxy = await startFaultProxy({ port: base + port })
    between.set(name, proxy)
    settings[`STORY_PORTAL_URL_${name.toUpperCase().replaceAll('-', '_')}`] = `http://127.0.0.1:${proxy.port}`
  }
  return {
    postgres,
    redis,
    lines,
    between,
    settings,
    async stop() {
      await Promise.all([...between.values(), lines.postgres, lines.redis].map((proxy) => proxy.close()))
      await Promise.all([postgres.stop(), redis.stop()])
    },
  }
}

function proxyOf(url: string): Promise<FaultProxy> {
  return startFaultProxy({ port: Number(new URL(url).port) })
}
