import { randomInt, randomUUID } from 'node:crypto'
import { createRequire, syncBuiltinESMExports } from 'node:module'
import { binding } from './binding.js'
import { reseedRandom } from './random.js'

let patched = false

/** Makes the JavaScript of a forked process its own, before anything else of it runs. */
export function becomeChild(): void {
  takeIdentity()
  reseedRandom()
  useUpCaches()
  // A process that was forked may fork too; what follows it then has already.
  if (!patched) {
    patched = true
    noteExitCode()
    openInspectorOnSignal()
  }
  // For those who have `import { pid } from 'node:process'`.
  syncBuiltinESMExports()
}

function takeIdentity(): void {
  const start = performance.now()
  // Methods of an object have the name and length of the originals, and like them no prototype.
  const { uptime } = {
    uptime(): number {
      return (performance.now() - start) / 1000
    }
  }
  define('pid', binding().pid())
  define('uptime', uptime)
}

/** Random bytes that Node.js drew before the fork and would hand out in each child. See lib/internal/crypto/random.js. */
function useUpCaches(): void {
  for (let drawn = 0; drawn < UUIDS_CACHED; drawn += 1) randomUUID()
  for (let drawn = 0; drawn < INTS_CACHED; drawn += 1) randomInt(2)
}

/** A natural end of a forked process goes through _exit(2) (see addon.cc), which has to be told the code. */
function noteExitCode(): void {
  const { emit } = process
  const patch = {
    emit(this: NodeJS.Process, name: string | symbol, ...args: unknown[]): boolean {
      try {
        return Reflect.apply(emit, this, [name, ...args])
      } finally {
        // Listeners may have set it.
        if (name === 'exit') binding().setExitCode(Number(process.exitCode ?? args[0] ?? 0))
      }
    }
  }
  define('emit', patch.emit)
}

/** What Node.js does on SIGUSR1, by a thread that a forked process does not have. */
function openInspectorOnSignal(): void {
  const options = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].join(' ')
  if (options.includes('--disable-sigusr1') || process.listenerCount('SIGUSR1') > 0) return
  process.on('SIGUSR1', () => {
    // Whoever listens too has taken it for another use.
    if (process.listenerCount('SIGUSR1') > 1) return
    const inspector: typeof import('node:inspector') = createRequire(import.meta.url)('node:inspector')
    if (inspector.url() === undefined) inspector.open()
  })
}

function define(name: 'pid' | 'uptime' | 'emit', value: unknown): void {
  Object.defineProperty(process, name, { value, writable: true, enumerable: name !== 'emit', configurable: true })
}

const UUIDS_CACHED = 128
const INTS_CACHED = 1024
