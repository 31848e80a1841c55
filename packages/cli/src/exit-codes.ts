/** What the command's exit codes mean. The help and docs/command.md show this table. */
export const EXIT_CODES: Readonly<Record<number, string>> = {
  0: 'done',
  1: 'it failed: the app does not boot, the start failed, what was asked for was refused',
  2: 'the arguments are wrong, or several clusters run and none was named',
  3: 'no cluster runs, or none of that name or pid',
  4: 'the connection to the cluster was lost, or it speaks another version of the protocol',
  5: 'a newer reload took the place of this one, which waited for its turn',
  130: 'Ctrl-C while it waited; what was begun goes on'
}

/** The exit code for what was thrown. */
export function exitCodeOf(error: unknown): number {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? (BY_CODE[code] ?? 1) : 1
}

const BY_CODE: Readonly<Record<string, number>> = {
  MAPACHE_OPTION_INVALID: 2,
  MAPACHE_CLUSTER_AMBIGUOUS: 2,
  MAPACHE_CLUSTER_NOT_FOUND: 3,
  MAPACHE_CHANNEL_CLOSED: 4,
  MAPACHE_CHANNEL_VERSION: 4,
  MAPACHE_RELOAD_SUPERSEDED: 5
}
