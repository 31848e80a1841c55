import { readFileSync } from 'node:fs'
import { emitKeypressEvents } from 'node:readline'

export type Key = 'reload' | 'memory' | 'open' | 'quit' | 'clear'

/** What of a terminal's input is used; process.stdin is one. */
export type KeyInput = NodeJS.ReadableStream & {
  isTTY?: boolean | undefined
  setRawMode?: ((raw: boolean) => unknown) | undefined
  unref?: (() => unknown) | undefined
}

/** What of the process is used. */
export interface Host {
  readonly pid: number
  on(event: string, listener: () => void): unknown
  off(event: string, listener: () => void): unknown
  listenerCount(event: string): number
  kill(pid: number, signal: NodeJS.Signals): unknown
  /** Whether the terminal listens to this process now. */
  inForeground(): boolean
}

/**
 * Reads single keys from a terminal, which is in raw mode meanwhile: Ctrl-C and Ctrl-D mean quit, Ctrl-Z suspends. The
 * terminal is given back when reading is closed, the process exits, is suspended or gets SIGTERM. On any other input
 * nothing is read at all.
 * @returns ends it; may be called twice
 */
export function readKeys(input: KeyInput, onKey: (key: Key) => void, host: Host = HOST): () => void {
  if (!input.isTTY || typeof input.setRawMode !== 'function') return () => {}

  const setRaw = (raw: boolean) => {
    try {
      input.setRawMode?.(raw)
    } catch {
      // The terminal hung up (EIO): there is nothing to set any more.
    }
  }
  const take = () => {
    // In the background both reading and setting the mode would stop the process. SIGCONT comes with the foreground.
    if (!host.inForeground()) {
      input.pause()
      return
    }
    // The shell has changed the mode meanwhile, and libuv sets only what differs from what it last set.
    setRaw(false)
    setRaw(true)
    input.resume()
  }
  const release = () => {
    if (host.inForeground()) setRaw(false)
  }
  const suspend = () => {
    if (process.platform === 'win32') return
    release()
    input.pause()
    // To the whole group, as the terminal would: npx and npm that wait for this process are suspended with it.
    host.kill(0, 'SIGTSTP')
    // The system ignores it where no shell could continue us: then nothing was suspended.
    setTimeout(() => !closed && take(), RESUME).unref()
  }
  const onPress = (_text: string | undefined, press: Press) => {
    if (press.ctrl && press.name === 'z') suspend()
    else {
      const key = meaning(press)
      if (key !== undefined) onKey(key)
    }
  }
  const onTerminate = () => {
    close()
    // Who else listens decides what SIGTERM does. If nobody does, it ends the process as it would have without us.
    if (host.listenerCount('SIGTERM') === 0) host.kill(host.pid, 'SIGTERM')
  }

  let closed = false
  const close = () => {
    if (closed) return
    closed = true
    host.off('SIGCONT', take)
    host.off('SIGTERM', onTerminate)
    host.off('exit', release)
    input.off('keypress', onPress)
    release()
    input.pause()
    input.unref?.()
  }

  emitKeypressEvents(input)
  input.on('keypress', onPress)
  // Reading fails with EIO when the terminal hangs up; the supervisor hears of that by SIGHUP.
  input.on('error', () => {})
  host.on('SIGCONT', take)
  host.on('SIGTERM', onTerminate)
  host.on('exit', release)
  take()
  return close
}

function meaning({ name, ctrl, meta }: Press): Key | undefined {
  if (meta || name === undefined) return undefined
  if (ctrl) return CONTROL[name]
  return LETTERS[name]
}

/** Where the system does not tell, the process is taken to be in the foreground. */
function inForeground(): boolean {
  try {
    // After the program's name, which may hold anything: state ppid pgrp session tty_nr tpgid.
    const [, , group, , terminal, foreground] = readFileSync('/proc/self/stat', 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ')
    return terminal === '0' || group === foreground
  } catch {
    return true
  }
}

interface Press {
  name?: string | undefined
  ctrl?: boolean | undefined
  meta?: boolean | undefined
}

const HOST: Host = {
  pid: process.pid,
  on: (event, listener) => process.on(event, listener),
  off: (event, listener) => process.off(event, listener),
  listenerCount: (event) => process.listenerCount(event),
  kill: (pid, signal) => process.kill(pid, signal),
  inForeground
}
const LETTERS: Partial<Record<string, Key>> = { r: 'reload', m: 'memory', o: 'open', q: 'quit' }
const CONTROL: Partial<Record<string, Key>> = { c: 'quit', d: 'quit', l: 'clear' }
/** Milliseconds. */
const RESUME = 100
