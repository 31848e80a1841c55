import { stripVTControlCharacters, styleText } from 'node:util'

/** How a text is made to look. Without colours each is the identity. */
export interface Palette {
  readonly colored: boolean
  dim(text: string): string
  bold(text: string): string
  red(text: string): string
  green(text: string): string
  yellow(text: string): string
  cyan(text: string): string
}

/**
 * Tells whether lines for this output may have colours: as the environment says (FORCE_COLOR, then NO_COLOR), else only
 * on a terminal.
 * @param isTTY whether the output is a terminal
 */
export function hasColors(isTTY: boolean | undefined, env: NodeJS.ProcessEnv): boolean {
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== 'false'
  if (env.NO_COLOR || env.NODE_DISABLE_COLORS || env.TERM === 'dumb') return false
  return isTTY === true
}

/** The looks to use, with colours or without. */
export function palette(colored: boolean): Palette {
  const look = (format: Format) => (text: string) =>
    // Without validateStream: false newer versions of Node.js ask process.stdout, which need not be our output.
    colored && text !== '' ? styleText(format, text, { validateStream: false }) : text
  return {
    colored,
    dim: look('dim'),
    bold: look('bold'),
    red: look('red'),
    green: look('green'),
    yellow: look('yellow'),
    cyan: look('cyan')
  }
}

/**
 * Takes out of a foreign text (an error's message, a file's name) what a terminal would obey: escape sequences, and
 * control characters but tabs and newlines.
 */
export function plain(text: string): string {
  return [...stripVTControlCharacters(text)].filter((char) => !isControl(char)).join('')
}

function isControl(char: string): boolean {
  const code = char.codePointAt(0) ?? 0
  return (code < 0x20 && char !== '\n' && char !== '\t') || (code >= 0x7f && code < 0xa0)
}

type Format = 'dim' | 'bold' | 'red' | 'green' | 'yellow' | 'cyan'
