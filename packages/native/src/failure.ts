/** An error as Node.js makes them for failed system calls: `code` tells what, the message says why. */
export function failure(code: string, message: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${message}`), { code })
}
