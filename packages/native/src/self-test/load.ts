import { scrypt } from 'node:crypto'
import { readFile } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

let loading = false
let underWay = 0
let finished = 0
let kept: object[] = []
let timer: NodeJS.Timeout | undefined

/** Keeps V8's and libuv's threads busy: garbage to collect, small pieces of work. Resolves when it is in full swing. */
export async function startLoad(): Promise<void> {
  loading = true
  timer = setInterval(allocate, 1)
  for (let count = 0; count < 6; count += 1) work()
  while (finished < 20) await sleep(1)
}

/** Resolves when nothing is under way any more. */
export async function stopLoad(): Promise<void> {
  loading = false
  clearInterval(timer)
  kept = []
  while (underWay > 0) await sleep(1)
}

function allocate(): void {
  const some = Array.from({ length: 20_000 }, (_, at) => ({ at, text: `${at}` }))
  kept = kept.length > 300_000 ? some : kept.concat(some)
}

function work(): void {
  underWay += 1
  const done = () => {
    underWay -= 1
    finished += 1
    if (loading) work()
  }
  if (finished % 2 === 0) scrypt('a', 'b', 16, { N: 512 }, done)
  else readFile(fileURLToPath(import.meta.url), done)
}
