/** Checks the password of the buttons. */
export interface Credential {
  /**
   * Compares in constant time, and slows down who guesses.
   * @param address of who asks, for the slowing
   * @param signal whoever asked has gone
   * @returns `retryAfter` (ms) when it was not even looked at, because too many were wrong
   */
  verify(password: string, address: string, signal: AbortSignal): Promise<Verified>
}

export type Verified = { ok: true } | { ok: false; retryAfter?: number | undefined }
