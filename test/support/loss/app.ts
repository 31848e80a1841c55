import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { pipelineBody, rootBody, slowBody, streamChunk, uploadBody } from './answers.js'

/**
 * The server side of the loss client as a plain `node:http` listener. Serves `/`, `/slow?ms=`, `/upload`,
 * `/stream?chunks=&every=` and `/pipeline?n=&ms=`; every time in a query is in ms. Each answer names the process
 * that gave it in `x-pid`.
 */
export function lossApp(req: IncomingMessage, res: ServerResponse): void {
  res.setHeader('x-pid', process.pid)
  answer(req, res).catch((error: unknown) => {
    // The client is gone or the app is wrong: either way the client must not take this for a whole answer.
    res.destroy(error instanceof Error ? error : new Error(String(error)))
  })
}

async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const url = new URL(req.url ?? '/', 'http://loss')
  const n = url.searchParams.get('n') ?? ''
  switch (url.pathname) {
    case '/':
      return send(res, 200, rootBody(n))
    case '/slow':
      await sleep(number(url, 'ms', 1200))
      return send(res, 200, slowBody(n))
    case '/pipeline': {
      const ms = number(url, 'ms', 0)
      if (ms > 0) await sleep(ms)
      return send(res, 200, pipelineBody(n))
    }
    case '/upload': {
      const parts: Buffer[] = []
      for await (const part of req) parts.push(part as Buffer)
      return send(res, 200, uploadBody(Buffer.concat(parts)))
    }
    case '/stream': {
      const chunks = number(url, 'chunks', 10)
      const every = number(url, 'every', 50)
      for (let index = 0; index < chunks; index++) {
        if (index > 0) await sleep(every)
        res.write(streamChunk(index, n))
      }
      res.end()
      return
    }
    default:
      return send(res, 404, 'not found')
  }
}

function send(res: ServerResponse, status: number, body: string): void {
  res.statusCode = status
  res.setHeader('content-length', Buffer.byteLength(body))
  res.end(body)
}

function number(url: URL, name: string, otherwise: number): number {
  const given = url.searchParams.get(name)
  return given === null ? otherwise : Number(given)
}
