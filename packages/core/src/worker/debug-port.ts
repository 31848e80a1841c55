/**
 * Lets a debugger that is asked for later (SIGUSR1) listen on any free port: that of Node's default can only be had by one
 * of the workers. Who has chosen a port, or debugs already, keeps it.
 */
export function freeDebugPort(): void {
  const given = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].some((text) => text.includes('--inspect'))
  if (process.debugPort === NODES_OWN && !given) process.debugPort = 0
}

const NODES_OWN = 9_229
