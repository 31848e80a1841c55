import path from 'node:path'

/** What a cluster of an entry is called if nobody says it: as the entry's folder. */
export function nameOf(entry: string): string {
  return path.basename(path.dirname(path.resolve(entry))) || 'app'
}
