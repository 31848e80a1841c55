import { readFile, rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type DevToolsMessage, InspectorSocket } from './diagnose-socket.js'
import { catchesSigusr1, listeningPorts } from './diagnose-system.js'

/** Where the JavaScript of a blocked process is, innermost first. */
export interface Frame {
  function: string
  file: string
  /** From 1 on. */
  line: number
  column: number
}

/**
 * Asks a Node process whose loop is blocked where it is: SIGUSR1 lets a thread of its own open the inspector, which can stop
 * the JavaScript between two instructions. What is blocked in a system call, or in native code, runs none. A process that
 * takes SIGUSR1 for itself, or ignores it, is left alone, and one that is debugged already opens no other port.
 * @param signal ends it
 * @throws an error that says why the stack could not be had
 */
export async function stackOf(pid: number, signal: AbortSignal): Promise<Frame[]> {
  if (!(await catchesSigusr1(pid))) throw new Error('it does not take SIGUSR1, by which the inspector is opened')
  const known = new Set(await listeningPorts(pid))
  process.kill(pid, 'SIGUSR1')
  const port = await openedPort(pid, known, signal)
  const target = await targetAt(port, signal)
  return paused(target, signal)
}

/**
 * The same of a process that was forked: the addon's watchdog has the JavaScript write where it is.
 * @param file where it does, with U+001F between the parts of a frame
 * @throws as `stackOf`
 */
export async function forkedStackOf(pid: number, file: string, signal: AbortSignal): Promise<Frame[]> {
  if (!(await catchesSigusr1(pid))) throw new Error('it does not take SIGUSR1, by which it is asked')
  // Of before, when somebody debugged it.
  await rm(file, { force: true })
  process.kill(pid, 'SIGUSR1')
  while (!signal.aborted) {
    const text = await readFile(file, 'utf8').catch(() => undefined)
    if (text !== undefined) {
      await rm(file, { force: true })
      return framesIn(text)
    }
    await sleep(LOOK_AGAIN, undefined, { signal }).catch(() => {})
  }
  throw new Error('it runs no JavaScript (a system call or native code holds it), or takes SIGUSR1 for itself')
}

/** What the addon writes: a line for each frame. */
export function framesIn(text: string): Frame[] {
  return text.split('\n').flatMap((line) => {
    const [name, url = '', row, column] = line.split('\u001f')
    if (row === undefined) return []
    return [{ function: name || '(anonymous)', file: fileOf(url), line: Number(row), column: Number(column) }]
  })
}

async function openedPort(pid: number, known: ReadonlySet<number>, signal: AbortSignal): Promise<number> {
  while (!signal.aborted) {
    const opened = (await listeningPorts(pid)).find((port) => !known.has(port))
    if (opened !== undefined) return opened
    await sleep(LOOK_AGAIN, undefined, { signal }).catch(() => {})
  }
  throw new Error(
    'no inspector came up: it runs no JavaScript (a system call or native code holds it), or takes SIGUSR1 for itself'
  )
}

async function targetAt(port: number, signal: AbortSignal): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/json/list`, { signal })
  const [target] = (await answer.json()) as { webSocketDebuggerUrl?: string }[]
  if (target?.webSocketDebuggerUrl === undefined) throw new Error('the inspector names nothing that could be debugged')
  return target.webSocketDebuggerUrl
}

/** Lets it stop where it is. */
async function paused(url: string, signal: AbortSignal): Promise<Frame[]> {
  const scripts = new Map<string, string>()
  let socket: InspectorSocket | undefined
  try {
    return await new Promise((resolve, reject) => {
      const late = () => reject(new Error('the inspector is there, but the JavaScript did not stop for it'))
      signal.addEventListener('abort', late, { once: true })
      const take = ({ method, params }: DevToolsMessage) => {
        const { scriptId = '', url = '', callFrames = [] } = (params ?? {}) as Params
        if (method === 'Debugger.scriptParsed') scripts.set(scriptId, url)
        if (method === 'Debugger.paused') resolve(framesOf(callFrames, scripts))
      }
      InspectorSocket.connect(url, take, signal).then((opened) => {
        socket = opened
        opened.send('Debugger.enable')
        opened.send('Debugger.pause')
      }, reject)
    })
  } finally {
    socket?.close()
  }
}

/**
 * The frames of `Debugger.paused`, whose lines and columns count from 0.
 * @param scripts the URLs that were told ahead of it: V8 leaves those of the frames empty
 */
export function framesOf(frames: readonly CallFrame[], scripts: ReadonlyMap<string, string>): Frame[] {
  return frames.slice(0, MOST_FRAMES).map(({ functionName, location: { scriptId, lineNumber, columnNumber = 0 } }) => {
    const file = fileOf(scripts.get(scriptId) ?? '')
    return { function: functionName || '(anonymous)', file, line: lineNumber + 1, column: columnNumber + 1 }
  })
}

/** Code may name itself as it likes (`sourceURL`), also by a URL that no file has. */
function fileOf(url: string): string {
  try {
    return url.startsWith('file:') ? fileURLToPath(url) : url || '(unknown)'
  } catch {
    return url
  }
}

/** As V8 prints stacks. */
export function stackText(frames: readonly Frame[]): string {
  return frames.map(({ function: name, file, line, column }) => `    at ${name} (${file}:${line}:${column})`).join('\n')
}

export interface CallFrame {
  functionName: string
  location: { scriptId: string; lineNumber: number; columnNumber?: number }
}

interface Params {
  scriptId?: string
  url?: string
  callFrames?: CallFrame[]
}

const MOST_FRAMES = 100
/** Milliseconds between two looks for the inspector's port. */
const LOOK_AGAIN = 20
