/** What one user may take of the shell, so that the others have theirs. */
export interface Limits {
  /** Connections at once. */
  connections: number
  /** Of them, those that have not logged in: of one more the oldest is closed. */
  pending: number
  /** From the connection to the login, ms. */
  loginTimeout: number
  /** Passwords that one connection may try. */
  attempts: number
  /** Without a command, ms. */
  idleTimeout: number
  /** Bytes of a line. */
  line: number
  /** Bytes of lines that wait for their turn. */
  waiting: number
  /** Bytes that the user's side has not taken. */
  output: number
  /** How long a command of yours may go on when the shell is replaced, ms. */
  grace: number
}

export const LIMITS: Readonly<Limits> = {
  connections: 64,
  pending: 16,
  loginTimeout: 60_000,
  attempts: 3,
  idleTimeout: 15 * 60_000,
  line: 4_096,
  waiting: 65_536,
  output: 4 << 20,
  grace: 10_000
}
