import type { Queue } from './types.ts'

const queues = new Map<string, Queue>()

/** Declares a queue and its dead letters; a name used twice throws at load. */
export function defineQueue<T extends object>(queue: Partial<Queue<T>> & { name: string }): Queue<T> {
  if (!/^[a-z][a-z0-9_.-]{0,60}$/.test(queue.name)) throw new Error(`${queue.name} is no name for a queue`)
  if (queues.has(queue.name)) throw new Error(`the queue ${queue.name} is defined twice`)
  const defined: Queue<T> = {
    retry_limit: 3,
    retry_delay_seconds: 2,
    retry_max_delay_seconds: 300,
    expire_seconds: 900,
    ...queue,
  }
  queues.set(queue.name, defined)
  return defined
}

export function definedQueues(): readonly Queue[] {
  return [...queues.values()]
}

export function deadLetterName(queue: Pick<Queue, 'name'>): string {
  return `${queue.name}.dead`
}
