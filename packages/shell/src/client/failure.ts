/** Why the client gives up, in words for the person at it. */
export class Failure extends Error {
  /** Trying again would come to the same. */
  readonly isFinal: boolean

  constructor(text: string, isFinal = false) {
    super(text)
    this.isFinal = isFinal
  }
}
