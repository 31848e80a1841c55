/** The longest delay that a Node timer can have, ms: beyond it the timer fires at once. */
export const LONGEST_TIMER = 2 ** 31 - 1
