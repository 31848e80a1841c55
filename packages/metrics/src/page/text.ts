import { inspect, stripVTControlCharacters } from 'node:util'

/** Longest text that is sent to a page, letters. */
const LONGEST = 16_384

/**
 * A text from an app, fit to be shown: without a terminal's colours, within bounds, and with letters that are not seen
 * or turn the direction of others written out. The page shows it as a text, never as markup.
 */
export function plainText(text: string): string {
  const cut = text.length > LONGEST ? `${text.slice(0, LONGEST)} … (cut)` : text
  return stripVTControlCharacters(cut).replace(UNSEEN, (letter) => `\\u{${letter.codePointAt(0)?.toString(16)}}`)
}

/** An error's stack, with those of its causes below: the app's own error is the cause of a failed reload. */
export function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return plainText(inspect(error, { depth: 2 }))
  const parts: string[] = []
  let at: unknown = error
  while (at instanceof Error && parts.length < DEEPEST) {
    parts.push(at.stack ?? String(at))
    at = at.cause
  }
  return plainText(parts.join('\n\ncaused by: '))
}

/** What a caller sent of itself, as a part of one log line. */
export function oneLine(text: string, longest = 200): string {
  return plainText(text.replace(/\s+/g, ' ').trim().slice(0, longest))
}

const DEEPEST = 5
// Controls except tab and line feed, the marks and overrides of direction, and letters without width.
const UNSEEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is they that are looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g
