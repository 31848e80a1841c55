import { styleText } from 'node:util'

/** How a text is made to look. Without colours each is the identity. */
export type Look = Readonly<Record<Format, (text: string) => string>>

/**
 * Tells whether an output may have colours: as the environment says (FORCE_COLOR, then NO_COLOR), else only on a terminal.
 * @param isTTY whether the output is a terminal
 */
export function hasColours(isTTY: boolean | undefined, env: NodeJS.ProcessEnv): boolean {
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== 'false'
  if (env.NO_COLOR || env.NODE_DISABLE_COLORS || env.TERM === 'dumb') return false
  return isTTY === true
}

/** The looks to use, with colours or without. */
export function makeLook(coloured: boolean): Look {
  const entries = FORMATS.map((format) => [
    format,
    // Without validateStream: false newer versions of Node.js ask process.stdout, which need not be our output.
    (text: string) => (coloured && text !== '' ? styleText(format, text, { validateStream: false }) : text)
  ])
  return Object.fromEntries(entries) as Look
}

const FORMATS = ['dim', 'bold', 'inverse', 'red', 'green', 'yellow', 'cyan'] as const
type Format = (typeof FORMATS)[number]
