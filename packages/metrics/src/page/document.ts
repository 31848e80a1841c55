import { createHash } from 'node:crypto'
import { pageScript } from './script.js'
import { STYLE } from './style.js'

export interface Page {
  /** Names this text, whoever serves it. */
  id: string
  body: Buffer
  headers: Record<string, string>
}

/**
 * Makes the one document of the dashboard: style and script are in it, and nothing else may be loaded or run.
 * @param acts whether it has buttons
 */
export function makePage(acts: boolean): Page {
  const script = pageScript()
  const id = createHash('sha256')
    .update(STYLE)
    .update(script)
    .update(`${MARKUP(acts, '')}`)
    .digest('hex')
    .slice(0, 16)
  const policy = [
    "default-src 'none'",
    `script-src ${sourceHash(script)}`,
    `style-src ${sourceHash(STYLE)}`,
    'img-src data:',
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    // A text can become markup nowhere on this page, whatever its script does.
    "require-trusted-types-for 'script'",
    "trusted-types 'none'"
  ].join('; ')
  const html = MARKUP(acts, id)
    .replace('/*style*/', () => STYLE)
    .replace('/*script*/', () => script)
  return { id, body: Buffer.from(html), headers: { 'content-security-policy': policy } }
}

export const PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()'
}

function sourceHash(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}

const ICON = `data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect x='1' y='1' width='6' height='6' rx='1.5' fill='%232f7d5b'/%3E%3Crect x='9' y='1' width='6' height='6' rx='1.5' fill='%232f7d5b'/%3E%3Crect x='1' y='9' width='6' height='6' rx='1.5' fill='%232f7d5b'/%3E%3Crect x='9' y='9' width='6' height='6' rx='1.5' fill='%23b8862b'/%3E%3C/svg%3E`

const BUTTONS = `<div class="actions" role="group" aria-label="Actions">
<button type="button" class="primary" data-action="reload" disabled>Reload</button>
<button type="button" data-action="refork" disabled>Refork</button>
<button type="button" data-action="rollback" disabled>Roll back</button>
<button type="button" data-action="scale" disabled>Scale</button>
<button type="button" id="lock" hidden>Lock</button>
</div>`

const DIALOG = `<dialog id="ask" aria-labelledby="ask-title" aria-describedby="ask-text">
<form id="ask-form" method="dialog">
<input type="text" autocomplete="username" value="mapache" hidden>
<h2 id="ask-title"></h2>
<p id="ask-text"></p>
<div class="field" id="workers-field"><label for="workers">Workers</label>
<input id="workers" type="number" min="1" max="10000" step="1" required inputmode="numeric"></div>
<div class="field" id="password-field"><label for="password">Password</label>
<input id="password" type="password" required autocomplete="current-password" maxlength="1000">
<p class="hint">Kept in this page for ten minutes, until you lock it or leave.</p></div>
<p id="insecure" class="warning" hidden><strong>Not encrypted.</strong> This page came over plain HTTP: the password can be read on the way.</p>
<p id="ask-error" role="alert"></p>
<div class="ask-buttons"><button type="button" id="ask-cancel">Cancel</button><button type="submit" class="primary" id="ask-do"></button></div>
</form>
</dialog>`

const chart = (id: string, title: string, paths: string) => `<figure class="chart" id="${id}">
<figcaption><span class="chart-title">${title}</span><strong id="${id}-now">–</strong><span class="note" id="${id}-note"></span></figcaption>
<div class="plot"><span class="max" id="${id}-max"></span>
<svg id="${id}-chart" viewBox="0 0 300 56" preserveAspectRatio="none" role="img" aria-label="${title}">${paths}</svg></div>
<div class="axis" aria-hidden="true"><span>5 min ago</span><span>now</span></div>
</figure>`

const CHARTS = [
  chart('requests', 'Requests/s', '<path class="fill" id="requests-area-0"/><path class="line" id="requests-line-0"/>'),
  chart('p99', 'p99', '<path class="line" id="p99-line-0"/>'),
  chart(
    'memory',
    'Memory',
    `<defs><pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path class="hatch" d="M0 0V5"/></pattern></defs><path class="shared-fill" id="memory-area-1"/><path class="own-fill" id="memory-area-0"/><path class="line thin" id="memory-line-0"/><path class="line" id="memory-line-1"/>`
  )
].join('\n')

const total = (id: string, name: string) => `<div><dt>${name}</dt><dd id="${id}">–</dd></div>`

const TOTALS = [
  total('in-flight', 'in flight'),
  total('connections', 'connections'),
  total('total-requests', 'requests'),
  total('server-errors', '5xx'),
  total('aborted', 'aborted'),
  total('crashes', 'crashes'),
  total('restarts', 'restarts'),
  total('reloads', 'reloads')
].join('')

const MARKUP = (acts: boolean, id: string) => `<!doctype html>
<html lang="en" data-page="${id}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>Mapache</title>
<link rel="icon" href="${ICON}">
<style>/*style*/</style>
</head>
<body>
<a class="skip" href="#generations">Skip to the workers</a>
<header>
<div class="who"><h1 id="name">Mapache</h1><span id="state" data-tone="busy">connecting</span><span id="connection" data-connected="false">connecting</span></div>
<p id="about"></p>
${acts ? BUTTONS : ''}
</header>
<p id="say" class="unseen" role="status"></p>
<noscript><p class="notice">This page shows a running cluster, and needs JavaScript for it.</p></noscript>
<main>
<div class="notice" id="upgraded" hidden>Another version of this page is served now. <button type="button" class="small" id="upgraded-reload">Load it</button></div>
<section id="outcome" aria-label="Last outcome" hidden>
<p id="outcome-text"></p><button type="button" class="small" id="outcome-close">Dismiss</button><div id="outcome-error"></div>
</section>
<section id="roll" aria-labelledby="roll-title" hidden>
<div class="group-head"><h2 id="roll-title"></h2><span class="note" id="roll-count"></span></div>
<div class="track" aria-hidden="true"><div class="part" id="roll-done"></div></div>
<ol id="roll-steps"></ol>
</section>
<section class="charts" aria-label="The last five minutes">
${CHARTS}
</section>
<dl class="totals" aria-label="Totals since the start">${TOTALS}</dl>
<h2 class="unseen">Processes</h2>
<p class="notice" id="waiting">Waiting for the cluster to tell how it is.</p>
<div id="generations" tabindex="-1"></div>
<section class="log" aria-labelledby="log-title">
<div class="group-head"><h2 id="log-title">Event log</h2><label for="log-level">Show</label>
<select id="log-level"><option value="info" selected>everything</option><option value="warn">warnings and errors</option><option value="error">errors</option></select></div>
<p class="note" id="log-empty">Nothing yet.</p>
<ol id="log" role="list" tabindex="0" aria-label="Event log, newest first"></ol>
</section>
</main>
${acts ? DIALOG : ''}
<script>/*script*/</script>
</body>
</html>
`
