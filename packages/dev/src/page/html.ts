import type { Failure } from '../failure.js'
import type { Description, StackLine } from './describe.js'
import type { CodeFrame } from './frame.js'
import { STYLE } from './style.js'

export interface PageOptions {
  failure: Pick<Failure, 'generation' | 'phase' | 'entry'>
  description: Description
  /** Lets the page's own script and style run, and no other. */
  nonce: string
  /** The script that reloads the page when the code has changed. */
  script: string
  /** The page answers what a reload would send again: it says that the code has changed, and does no more. */
  once?: boolean
}

/**
 * The page that a browser gets while the app does not run. It needs nothing else from anywhere.
 * @returns the whole document; each text in it is escaped
 */
export function failurePage({ failure, description, nonce, script, once = false }: PageOptions): string {
  const { generation, phase, entry } = failure
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(firstLine(description.message) || description.name)}</title>
<link rel="icon" href="data:,">
<style nonce="${escapeHtml(nonce)}">${STYLE}</style>
</head>
<body>
<main>
<p class="where">${escapeHtml(entry)} ${phase === 'boot' ? 'does not start' : 'has crashed'}</p>
${section(description)}
<footer>${once ? '<strong id="mapache-changed" hidden>The code has changed: send it again. </strong>' : ''}<span>${
    once ? '' : 'This page reloads itself when the code changes. '
  }gen ${generation}</span></footer>
</main>
<script nonce="${escapeHtml(nonce)}">${script}</script>
</body>
</html>
`
}

/** The policy that goes with the page: its own style and script, and the stream that the script listens to. */
export function contentSecurityPolicy(nonce: string): string {
  return (
    `default-src 'none'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'; connect-src 'self'; img-src data:; ` +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
  )
}

/** Makes a text safe anywhere between tags and in a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`)
}

function section({ name, message, code, frame, stack, cause }: Description): string {
  return `<section>
<p class="name">${escapeHtml(name)}${code === undefined ? '' : ` <code>${escapeHtml(code)}</code>`}</p>
<h1>${escapeHtml(message)}</h1>
${frame === undefined ? '' : codeSection(frame)}
${stack.length === 0 ? '' : `<pre class="stack">${stack.map(stackLine).join('\n')}</pre>`}
</section>
${cause === undefined ? '' : `<p class="by">caused by</p>\n${section(cause)}`}`
}

function codeSection({ file, line, column, lines }: CodeFrame): string {
  const width = String(lines.at(-1)?.number ?? line).length
  const shown = lines.map(({ number, text }) => {
    const numbered = `<i>${String(number).padStart(width)}</i> ${escapeHtml(text)}`
    if (number !== line) return numbered
    const pointer = column === undefined ? '' : `\n${' '.repeat(width)} <b>${marker(text, column)}</b>`
    return `<mark>${numbered}${pointer}</mark>`
  })
  const place = `${file}:${line}${column === undefined ? '' : `:${column}`}`
  return `<figure><figcaption>${escapeHtml(place)}</figcaption><pre>${shown.join('\n')}</pre></figure>`
}

/** A caret below the column; tabs stay tabs, so that it stands where the column does. */
function marker(text: string, column: number): string {
  return `${text.slice(0, column - 1).replace(/[^\t]/g, ' ')}^`
}

function stackLine({ text, own }: StackLine): string {
  return own ? `<span>${escapeHtml(text)}</span>` : `<span class="dim">${escapeHtml(text)}</span>`
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] as string
}
