import { readFileSync } from 'node:fs'

/** The page's script, in the order in which the files need each other. */
const FILES = ['format', 'series', 'model', 'ghosts', 'dom', 'tiles', 'charts', 'log', 'stream', 'actions', 'main']

/** Reads the compiled files of the page's script and makes one text of them, which needs nothing else. */
export function pageScript(): string {
  const texts = FILES.map((name) => readFileSync(new URL(`./client/${name}.js`, import.meta.url), 'utf8'))
  return joinModules(texts)
}

/**
 * Makes one script of modules: what they import from each other stands in the same text, under the same name. They have
 * no other imports, and no two names at their top are the same, or the script would not run.
 */
export function joinModules(texts: readonly string[]): string {
  const bodies = texts.map((text) =>
    text
      .replace(/^import [^;]*;$/gm, '')
      .replace(/^export \{\};?$/gm, '')
      .replace(/^export (?=(?:async )?function|const|class)/gm, '')
      .replace(/^\/\/# sourceMappingURL=.*$/gm, '')
      .replace(/^ +/gm, '')
      .trim()
  )
  return `(()=>{'use strict';\n${bodies.join('\n')}\n})()`
}
