/** What the part of dev mode that runs in the workers is told. */
export interface WorkerOptions {
  /** Whether pages reload themselves in the browser. */
  refresh: boolean
  /** Where the inspector listens, if it is to. */
  inspect: { host: string; port: number } | undefined
}

/** @returns the URL of the module with the options in it, which are read again by `readWorkerOptions` */
export function withWorkerOptions(module: URL, { refresh, inspect }: WorkerOptions): URL {
  const url = new URL(module)
  if (refresh) url.searchParams.set('refresh', '1')
  if (inspect) url.searchParams.set('inspect', `${inspect.host}:${inspect.port}`)
  return url
}

export function readWorkerOptions(url: string): WorkerOptions {
  const { searchParams } = new URL(url)
  const [, host, port] = /^(.*):(\d+)$/.exec(searchParams.get('inspect') ?? '') ?? []
  return {
    refresh: searchParams.has('refresh'),
    inspect: host === undefined ? undefined : { host, port: Number(port) }
  }
}
