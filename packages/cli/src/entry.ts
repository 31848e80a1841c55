import path from 'node:path'

/** The options of a command, as `parseArgs` takes them. */
type Options = Readonly<Record<string, { type: 'string' | 'boolean'; short?: string }>>

/** Takes a command's arguments apart: its own, the entry, and what follows the entry, which is the entry's own. */
export function split(args: string[], options: Options): { own: string[]; entry: string | undefined; rest: string[] } {
  const takesValue = Object.entries(options).flatMap(([name, { type, short }]) => {
    return type === 'string' ? [`--${name}`, ...(short ? [`-${short}`] : [])] : []
  })
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] as string
    if (arg === '--') return { own: args.slice(0, index), entry: args[index + 1], rest: args.slice(index + 2) }
    if (!arg.startsWith('-')) return { own: args.slice(0, index), entry: arg, rest: args.slice(index + 1) }
    if (takesValue.includes(arg)) index += 1
  }
  return { own: args, entry: undefined, rest: [] }
}

/** What a cluster of an entry is called if nobody says it: as the entry's folder. */
export function nameOf(entry: string): string {
  return path.basename(path.dirname(path.resolve(entry))) || 'app'
}
