/** Peers live in packages that only `npm run bench` installs, so they are loaded by name and typed by what we use of them. */
export async function loadPeer<T>(name: string): Promise<T> {
  const module = (await import(new URL(`./peers/${name}.ts`, import.meta.url).href)) as { default: T }
  return module.default
}

export interface EventStorePeer {
  open(url: string): Promise<{
    append(stream: string, events: readonly { type: string; data: Record<string, unknown> }[]): Promise<void>
    close(): Promise<void>
  }>
}

export interface DurableCallPeer {
  open(url: string): Promise<{ call(n: number): Promise<number>; close(): Promise<void> }>
}
