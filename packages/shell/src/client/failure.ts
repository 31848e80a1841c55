/** Why the client gives up, in words for the person at it. */
export class Failure extends Error {
  /** Trying again would come to the same. */
  readonly isFinal: boolean
  /** The shell is being replaced: its successor takes the next try. */
  readonly isPassing: boolean

  constructor(text: string, isFinal = false, isPassing = false) {
    super(text)
    this.isFinal = isFinal
    this.isPassing = isPassing
  }
}
