/** The parts of a password's hash. */
export interface PasswordHash {
  N: number
  r: number
  p: number
  salt: Buffer
  wanted: Buffer
}

/**
 * Reads a hash: `scrypt:N:r:p:salt:hash`, the last two in base64url.
 * @returns undefined when it is none, or one that would take more memory or time than a check may
 */
export function parseHash(text: string): PasswordHash | undefined {
  const [, ...fields] = /^scrypt:(\d{1,8}):(\d{1,3}):(\d{1,3}):([\w-]+):([\w-]+)$/.exec(text.trim()) ?? []
  const [N = 0, r = 0, p = 0] = fields.slice(0, 3).map(Number)
  const [salt, wanted] = fields.slice(3).map((field) => Buffer.from(field, 'base64url'))
  if (!salt || !wanted || salt.length < 8 || wanted.length < 16) return undefined
  const memory = 128 * N * r
  const fits = N > 1 && (N & (N - 1)) === 0 && r > 0 && p > 0 && memory <= MOST_MEMORY && memory * p <= MOST_WORK
  return fits ? { N, r, p, salt, wanted } : undefined
}

/** Bytes that a check may take, and how much of them it goes through. */
const MOST_MEMORY = 256 << 20
const MOST_WORK = 1 << 30
