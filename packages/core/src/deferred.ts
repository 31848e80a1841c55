/** A promise with its ends in hand (Promise.withResolvers, which Node 20 does not have). */
export interface Deferred<Value> {
  promise: Promise<Value>
  resolve(value: Value): void
  reject(error: Error): void
}

/** Makes one. A rejection that nobody waits for yet is no unhandled one. */
export function defer<Value>(): Deferred<Value> {
  const deferred = {} as Deferred<Value>
  deferred.promise = new Promise((resolve, reject) => Object.assign(deferred, { resolve, reject }))
  deferred.promise.catch(() => {})
  return deferred
}
