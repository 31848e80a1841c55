/** Whether an error means that the system does not watch so many files. */
export function isLimit(error: NodeJS.ErrnoException): boolean {
  return LIMITS.has(error.code ?? '')
}

/** Says which limit it is, and how to raise it. */
export function limitText({ code }: NodeJS.ErrnoException): string {
  const setting = code === 'ENOSPC' ? 'fs.inotify.max_user_watches=524288' : 'fs.inotify.max_user_instances=1024'
  const advice = process.platform === 'linux' ? `sudo sysctl ${setting}` : 'ulimit -n 65536'
  return `the system's limit of watched folders is reached (${code}): polling instead, which is slower. To raise it: ${advice}`
}

const LIMITS = new Set(['ENOSPC', 'EMFILE', 'ENFILE'])
