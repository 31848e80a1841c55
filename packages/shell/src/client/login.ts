import type { Frame } from '../frames.js'
import type { Connection } from './connection.js'
import { Failure } from './failure.js'

/** What the shell said at the login. */
export interface Welcome {
  text: string
  commands: string[]
}

/**
 * Logs in.
 * @param password gives it; asked again after a wrong one, until it gives none
 * @throws Failure when the shell does not take it
 */
export function login(
  connection: Connection,
  password: (isAgain: boolean) => Promise<string | undefined>,
  say: (text: string) => void
): Promise<Welcome> {
  return new Promise((resolve, reject) => {
    let denied: string | undefined
    const fail = (text: string, isFinal: boolean) => {
      connection.close()
      reject(new Failure(text, isFinal, !isFinal))
    }
    const answer = async () => {
      try {
        const given = await password(denied !== undefined)
        if (given === undefined) fail(denied ?? 'there is no password', true)
        else connection.send(given)
      } catch (error) {
        connection.close()
        reject(error)
      }
    }
    const onFrame = (frame: Frame) => {
      if (frame.type === 'login') {
        if (denied !== undefined) say(denied)
        void answer()
      } else if (frame.type === 'denied') denied = frame.text
      else if (frame.type === 'ready') resolve(frame)
      else if (frame.type === 'bye') fail(frame.text, frame.reason !== 'replaced')
      else fail('the shell said something unexpected', true)
    }
    connection.listen(onFrame, () => fail('the shell closed the connection', false))
  })
}
