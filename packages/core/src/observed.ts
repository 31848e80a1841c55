import { inspect } from 'node:util'
import type { ListenCallback } from './address.js'
import { MapacheError } from './errors.js'

/** A promise that knows whether anybody waits for it. */
class ObservedPromise<Value> extends Promise<Value> {
  observed = false

  // biome-ignore lint/suspicious/noThenProperty: a promise's own method, to see who waits
  override then<A = Value, B = never>(
    onFulfilled?: ((value: Value) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null
  ): Promise<A | B> {
    this.observed = true
    return super.then(onFulfilled, onRejected)
  }

  // What `then` makes is an ordinary promise.
  static override get [Symbol.species]() {
    return Promise
  }
}

/**
 * Makes of a `listen` under way the promise that its caller gets. If it fails and nobody waits for it, neither with
 * `await` nor with a callback, the error is printed and the process ends with code 1: a failed start must not be silent.
 */
export function observed<Value>(work: Promise<Value>, callback?: ListenCallback): Promise<Value> {
  const promise = new ObservedPromise<Value>((resolve, reject) => {
    work.then(resolve, reject)
  })
  work.then(
    () => callback?.(null),
    (error) => {
      if (callback) return callback(error as Error)
      // `await` calls `then` a little later than it is written; what has failed already would be judged before.
      setImmediate(() => {
        if (promise.observed) return
        console.error(describeFailure(error))
        process.exit(1)
      })
    }
  )
  // Node's own complaint would come too, and after ours there is nothing to add.
  Promise.prototype.then.call(promise, undefined, () => {})
  return promise
}

/** A failure for a person to read: the one line that says what to change, then the app's own error whole, if it is one. */
export function describeFailure(error: unknown): string {
  if (!(error instanceof MapacheError)) return inspect(error)
  const { message, fix, cause } = error
  return `${message}\n  ${fix}${cause === undefined ? '' : `\n${inspect(cause)}`}`
}
