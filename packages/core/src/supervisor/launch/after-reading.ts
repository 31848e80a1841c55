/**
 * Calls back once the loop has read what had arrived by now. The system tells of the ends of all children together: while
 * the loop is busy with that of one, another may say why it fails and end, and its end would be heard of before that.
 */
export function afterReading(then: () => void): void {
  // The first comes before the loop looks at its sockets again, the second after.
  setImmediate(() => setImmediate(then))
}
