/** Descriptors and pids reach system calls to which -1 and 0 mean everybody. */
export function descriptor(value: number): number {
  return integer(value, 0, 'a descriptor')
}

export function pid(value: number): number {
  return integer(value, 1, 'a pid')
}

/** @returns the value. Throws a RangeError that says what it should be */
export function integer(value: number, least: number, what: string, most = 2 ** 31 - 1): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw new RangeError(`${what} must be an integer of at least ${least}, got ${value}`)
}

/** @returns the value. The system would take a string with a NUL for a shorter one */
export function text(value: string, what: string): string {
  if (typeof value === 'string' && !value.includes('\0')) return value
  throw new TypeError(`${what} must be a string without NUL, got ${JSON.stringify(value)}`)
}
