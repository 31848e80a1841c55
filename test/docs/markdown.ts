import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { ROOT } from '../support/fixture.js'

/** A fenced block. Its info string is the language, then words: `js file=app.mjs start`, `sh no-run: needs root`. */
export interface Block {
  /** Where it stands: `docs/drain.md:12`. */
  at: string
  language: string
  /** `file=app.mjs` is { file: 'app.mjs' }, `start` is { start: '' }. */
  words: Record<string, string>
  /** Why it cannot run. */
  reason: string | undefined
  text: string
}

/** README.md and docs/*.md, and the packages' own, relative to the root. */
export const PAGES = [
  'README.md',
  ...list('docs').filter((name) => name.endsWith('.md')),
  ...list('packages').map((folder) => `${folder}/README.md`)
]

/** The entries of a folder, relative to the root. */
export function list(folder: string): string[] {
  const names = readdirSync(path.join(ROOT, folder)).filter((name) => !name.startsWith('.'))
  return names.sort().map((name) => `${folder}/${name}`)
}

export function read(file: string): string {
  return readFileSync(path.join(ROOT, file), 'utf8')
}

export function blocksOf(page: string): Block[] {
  const blocks: Block[] = []
  let open: Block | undefined
  for (const [index, line] of read(page).split('\n').entries()) {
    const [, info] = /^```(.*)$/.exec(line) ?? []
    if (info === undefined) {
      if (open) open.text += `${line}\n`
    } else if (open) {
      blocks.push(open)
      open = undefined
    } else {
      open = parseInfo(info, `${page}:${index + 1}`)
    }
  }
  if (open) throw new Error(`${open.at}: the block has no end`)
  return blocks
}

function parseInfo(info: string, at: string): Block {
  const [before = '', reason] = info.split(/ no-run: */)
  const [language = '', ...rest] = before.trim().split(/ +/)
  const words = Object.fromEntries(rest.map((word) => [word.split('=', 1)[0], word.slice(word.indexOf('=') + 1)]))
  return { at, language, words, reason, text: '' }
}

/** The rows of the first table below a heading: what stands between the bars, trimmed. The table's head is left out. */
export function tableOf(page: string, heading: string): string[][] {
  const lines = read(page).split('\n')
  const start = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, '') === heading)
  if (start === -1) throw new Error(`${page} has no heading ${heading}`)
  const first = lines.findIndex((line, index) => index > start && line.startsWith('|'))
  const rest = lines.slice(first)
  const end = rest.findIndex((line) => !line.startsWith('|'))
  return rest.slice(2, end === -1 ? undefined : end).map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim())
  )
}

/** What stands in the first backquotes. */
export function code(cell = ''): string {
  return /`([^`]+)`/.exec(cell)?.[1] ?? ''
}

/** The anchors that a page has, as they are made of its headings. */
export function anchorsOf(page: string): string[] {
  const headings = withoutBlocks(page).match(/^#+ .*$/gm) ?? []
  return headings.map((line) =>
    line
      .replace(/^#+ /, '')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\- _]/gu, '')
      .replaceAll(' ', '-')
  )
}

/** The targets of a page's links. */
export function linksOf(page: string): string[] {
  return [...withoutBlocks(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target as string)
}

function withoutBlocks(page: string): string {
  return read(page).replace(/^```.*?^```$/gms, '')
}
