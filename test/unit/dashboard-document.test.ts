import { createHash } from 'node:crypto'
import vm from 'node:vm'
import t from 'tap'
import { makePage } from '#metrics/page/document.js'
import { joinModules, pageScript } from '#metrics/page/script.js'
import { STYLE } from '#metrics/page/style.js'
import { oneLine, plainText, stackOf } from '#metrics/page/text.js'

t.test('one document, which may run and load nothing but itself', (t) => {
  const { body, headers } = makePage(true)
  const html = body.toString()
  const policy = headers['content-security-policy'] ?? ''
  const hashOf = (tag: string) => {
    const [, text = ''] = new RegExp(`<${tag}>(.*?)</${tag}>`, 's').exec(html) ?? []
    return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
  }
  t.match(policy, "default-src 'none'")
  t.ok(policy.includes(`script-src ${hashOf('script')};`))
  t.ok(policy.includes(`style-src ${hashOf('style')};`))
  t.notMatch(policy, 'unsafe')
  t.notMatch(html, / style=| on[a-z]+=| src=|@import/, 'what the policy forbids')
  t.equal(html.match(/<\/script>/g)?.length, 1)
  t.ok(body.length < 60_000, `${body.length} bytes`)
  t.end()
})

t.test('without a password there is nothing to press', (t) => {
  const [acting, still] = [makePage(true), makePage(false)]
  t.not(acting.id, still.id)
  t.equal(makePage(true).id, acting.id)
  t.match(acting.body.toString(), '<button type="button" class="primary" data-action="reload"')
  const markup = still.body.toString().replace(/<script>.*<\/script>/s, '')
  t.notMatch(markup, /data-action|<dialog|password/)
  t.end()
})

t.test('the script is one text without modules', (t) => {
  const script = pageScript()
  t.doesNotThrow(() => new vm.Script(script), 'no name stands twice at the top')
  t.notMatch(script, /^(import|export) /m)
  const joined = joinModules([
    'export const a = 1;\nexport function b() {\n  return a;\n}\n//# sourceMappingURL=b.js.map',
    "import { a, b } from './b.js';\nexport {};\nresult = a + b();"
  ])
  const scope = { result: 0 }
  vm.runInNewContext(joined, scope)
  t.equal(scope.result, 2)
  t.end()
})

t.test('texts of the app are made fit to be shown', (t) => {
  t.equal(plainText('\u001b[31mred\u001b[0m\ttab\nline'), 'red\ttab\nline')
  t.equal(plainText('a\u202egpj.exe\u0000\u200b\r'), 'a\\u{202e}gpj.exe\\u{0}\\u{200b}\\u{d}')
  t.equal(plainText('raccoon 🦝 ñ 漢'), 'raccoon 🦝 ñ 漢')
  t.match(plainText('x'.repeat(100_000)), /^x{16384} … \(cut\)$/)
  t.equal(oneLine(' a\n\n b '), 'a b')
  const cause = Object.assign(new SyntaxError('inner'), { stack: 'SyntaxError: inner\n    at app.js:1' })
  const error = Object.assign(new Error('outer', { cause }), { stack: 'Error: outer' })
  t.equal(stackOf(error), 'Error: outer\n\ncaused by: SyntaxError: inner\n    at app.js:1')
  t.equal(stackOf({ odd: true }), '{ odd: true }')
  const endless = new Error('endless')
  endless.cause = endless
  t.equal(stackOf(endless).match(/caused by/g)?.length, 4)
  t.end()
})

t.test('texts can be read on their grounds, in light and in dark', (t) => {
  const palettes = [...STYLE.matchAll(/:root\{([^}]*)\}/g)].map(([, body = '']) =>
    Object.fromEntries([...body.matchAll(/--([a-z-]+):#([0-9a-f]+)/g)].map(([, name, value]) => [name, value]))
  )
  t.equal(palettes.length, 2)
  const pairs = [
    ...['ink', 'soft', 'good', 'busy', 'bad', 'accent'].flatMap((text) => [
      [text, 'sheet'],
      [text, 'ground']
    ]),
    ...['good', 'busy', 'bad'].map((text) => [text, `${text}-ground`]),
    ['accent-ink', 'accent']
  ] as [string, string][]
  for (const palette of palettes) {
    for (const [text, ground] of pairs) {
      const ratio = contrast(palette[text] ?? '', palette[ground] ?? '')
      t.ok(ratio >= 4.5, `${text} on ${ground}: ${ratio.toFixed(2)}`)
    }
  }
  t.end()
})

/** As WCAG 2 defines it. */
function contrast(one: string, other: string): number {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a)
  return (light + 0.05) / (dark + 0.05)
}

function luminance(color: string): number {
  const digits = color.length === 3 ? [...color].map((digit) => digit + digit).join('') : color
  const [red = 0, green = 0, blue = 0] = [0, 2, 4].map((at) => {
    const share = Number.parseInt(digits.slice(at, at + 2), 16) / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
