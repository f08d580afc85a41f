import path from 'node:path'

/** Whether a path is a folder or lies below it; both absolute. */
export function isWithin(folder: string, file: string): boolean {
  const below = path.relative(folder, file)
  return below !== '..' && !below.startsWith(`..${path.sep}`) && !path.isAbsolute(below)
}
