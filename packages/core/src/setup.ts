/** What a set-up or a teardown gets. */
export interface SetupHandle {
  /** The generation that it is for. */
  readonly generation: number
  /** Aborted when it is to end: its time is over, or the cluster stops. It is killed if it does not. */
  readonly signal: AbortSignal
  /** Writes a line into Mapache's own log. What is longer than 20,000 characters is cut. */
  log(level: 'info' | 'warn' | 'error', text: string): void
}

export type SetupFunction = (handle: SetupHandle) => unknown

/** A function, or the path or URL of a module whose default export is one. */
export type SetupOption = SetupFunction | string | URL

export type TaskName = 'setup' | 'teardown'

/** What of the options is for tasks. */
export type Tasks = Readonly<Partial<Record<TaskName, SetupOption | undefined>>>

export const TASKS: readonly TaskName[] = ['setup', 'teardown']
