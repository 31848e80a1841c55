/** The error page's style. Each line of code is to be read as it is in the editor: no wrapping, and tabs of two. */
export const STYLE = `
:root { color-scheme: light dark; --ground: #fff; --text: #1c1e21; --dim: #767b83; --pane: #f4f5f7; --red: #c0262d; --line: #fde4e4 }
@media (prefers-color-scheme: dark) {
  :root { --ground: #16181c; --text: #e6e8eb; --dim: #8b919a; --pane: #1f2227; --red: #ff7b72; --line: #4a2226 }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--ground); color: var(--text); font: 16px/1.5 system-ui, sans-serif }
main { max-width: 68rem; margin: 0 auto; padding: 2.5rem 1.25rem; border-top: 4px solid var(--red) }
p { margin: 0 }
.where, .by, footer { color: var(--dim) }
.by { margin: 2rem 0 .5rem }
section { margin-top: 1rem }
.name { color: var(--red); font-weight: 600 }
h1 { margin: .25rem 0 1.25rem; font-size: 1.4rem; line-height: 1.35; white-space: pre-wrap; overflow-wrap: anywhere }
pre, code { font: 13.5px/1.6 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; tab-size: 2 }
pre { margin: 0; padding: .75rem 1rem; overflow-x: auto; background: var(--pane) }
figure { margin: 0 0 1rem }
figcaption { padding: .4rem 1rem; background: var(--pane); border-bottom: 1px solid var(--ground); font-weight: 600; overflow-wrap: anywhere }
i { color: var(--dim); font-style: normal; user-select: none }
mark { display: inline-block; min-width: 100%; background: var(--line); color: inherit }
b { color: var(--red); user-select: none }
.dim { color: var(--dim) }
footer { margin-top: 2rem; font-size: .9rem }
`
