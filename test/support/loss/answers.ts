import { createHash } from 'node:crypto'

// The app and the client build the right answer from the same functions, so that a body that is whole but wrong
// (another client's, another request's) is found out and not only one that is too short.

/** The body of `/?n=`. */
export function rootBody(n: string): string {
  return `hello ${n}`
}

/** The body of `/slow?ms=&n=`. */
export function slowBody(n: string): string {
  return `slow ${n}`
}

/** The body of `/pipeline?n=`. */
export function pipelineBody(n: string): string {
  return `pipelined ${n}`
}

/** The body of `POST /upload`: what arrived, counted and hashed. */
export function uploadBody(received: Uint8Array): string {
  return JSON.stringify({ bytes: received.byteLength, sha256: createHash('sha256').update(received).digest('hex') })
}

/** Chunk number `index` of `/stream`. */
export function streamChunk(index: number, n: string): string {
  return `chunk ${index} of ${n}\n`
}

/** The whole body of `/stream?chunks=&n=`. */
export function streamBody(chunks: number, n: string): string {
  let body = ''
  for (let index = 0; index < chunks; index++) body += streamChunk(index, n)
  return body
}
