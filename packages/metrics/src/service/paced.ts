import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Bounds how often something is asked, however many want the answer: those who come before a question has left share its
 * answer, and the next question leaves no sooner than `interval` after the one before. Nobody gets an answer to a question
 * that had left when he came, so that what is seen never goes back.
 * @param interval ms
 */
export function paced<Value>(ask: () => Promise<Value>, interval: number): () => Promise<Value> {
  let next: Promise<Value> | undefined
  let running: Promise<unknown> = Promise.resolve()
  let earliest = 0

  const begin = async () => {
    await running
    const wait = earliest - performance.now()
    if (wait > 0) await sleep(wait)
    earliest = performance.now() + interval
    next = undefined
    const answer = ask()
    running = answer.catch(() => {})
    return answer
  }
  return () => {
    next ??= begin()
    return next
  }
}
