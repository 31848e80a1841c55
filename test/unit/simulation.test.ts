import t from 'tap'
import { play } from './simulation/story.js'

/** MAPACHE_SEED=12 npm test -- test/unit/simulation.test.ts: plays one story again and prints all that happens in it. */
const { MAPACHE_SEED: again } = process.env
const STORIES = 500
const EVENTS = 220

t.test('in every random story what the cluster promises holds at each step', async (t) => {
  const seeds = again === undefined ? Array.from({ length: STORIES }, (_, index) => index + 1) : [Number(again)]
  const sum: Record<string, number> = {}
  let events = 0
  const failures: string[] = []
  for (const seed of seeds) {
    try {
      const story = play(seed, EVENTS, again === undefined ? undefined : (lines) => console.error(lines.join('\n')))
      events += story.events
      for (const [outcome, count] of Object.entries(story.outcomes)) sum[outcome] = (sum[outcome] ?? 0) + count
    } catch (error) {
      failures.push(`seed ${seed}: ${(error as Error).message}`)
    }
  }
  t.strictSame(failures, [])
  t.comment(`${events} events; reloads: ${JSON.stringify(sum)}`)
})
