import t from 'tap'
import { completionLines } from '#cli/completion/complete.js'
import { type Running, suggest } from '#cli/completion/suggest.js'
import { buildProgram } from '#cli/program.js'

const program = buildProgram(async () => {})
const running: Running = {
  clusters: async () => [
    { name: 'shop', pid: 10 },
    { name: 'blog', pid: 12 }
  ],
  processes: async ({ name, pid }) => (name === 'blog' || pid === 12 ? [{ value: '7', about: 'worker, serving' }] : [])
}

/** What is suggested after `mapache`; the last word is the one that is written. */
async function values(...words: string[]): Promise<string[]> {
  const { words: found, files } = await suggest(program, words, running)
  return [...found.map(({ value }) => value), ...(files ? [':files'] : [])]
}

t.test('commands', async (t) => {
  const all = await values('')
  t.ok(
    ['start', 'dev', 'status', 'top', 'reload', 'scale', 'stop', 'completion', 'help'].every((it) => all.includes(it))
  )
  t.strictSame(await values('re'), ['reload', 'refork', 'recycle', 'revive'])
  t.strictSame(await values('help', 'sta'), ['start', 'status'])
  t.strictSame(await values('help', 'start', ''), [])
  t.strictSame(await values('--v'), ['--version'])
  t.strictSame(await values('bogus', ''), [])
})

t.test('options', async (t) => {
  t.strictSame(await values('refork', '--'), ['--name', '--pid', '--json', '--help'])
  t.strictSame(await values('reload', '--max'), ['--max-error-rate', '--max-latency-ratio'])
  t.strictSame(await values('stop', '--no'), ['--now'])
  t.strictSame(await values('scale', '3', '--no'), ['--no-wait'])
  t.ok((await values('log', '-')).includes('-f'))
  t.strictSame(await values('reload', ''), [], 'nothing is left to be said')
})

t.test('values of options', async (t) => {
  t.strictSame(await values('reload', '--name', ''), ['shop', 'blog'])
  t.strictSame(await values('reload', '--name', 's'), ['shop'])
  t.strictSame(await values('reload', '--name=s'), ['--name=shop'])
  t.strictSame(await values('reload', '--name', '=', 'b'), ['blog'], 'as bash takes --name=b apart')
  t.strictSame(await values('reload', '--name', '='), ['shop', 'blog'])
  t.strictSame(await values('status', '--pid', '1'), ['10', '12'])
  t.strictSame(await values('start', '--boot', ''), ['auto', 'fork', 'spawn'])
  t.strictSame(await values('start', '--config', ''), [':files'])
  t.strictSame(await values('start', '--settle', ''), [])
})

t.test('arguments', async (t) => {
  t.strictSame(await values('recycle', '--name', 'blog', ''), ['7'])
  t.strictSame(await values('recycle', '--pid', '12', '7'), ['7'])
  t.strictSame(await values('recycle', ''), [])
  t.strictSame(await values('completion', ''), ['bash', 'zsh', 'fish'])
  t.strictSame(await values('completion', 'bash', ''), [])
  t.strictSame(await values('start', '-w', '2', ''), [':files'])
  t.strictSame(await values('start', 'server.js', '--na'), [':files'], 'what follows the entry is its own')
  t.strictSame(await values('start', '--', '--na'), [':files'])
})

t.test('names that a terminal would obey are not suggested', async (t) => {
  const found = [
    { value: 'shop', about: 'pid 10' },
    { value: 'a\x1b[2J', about: 'pid 11' },
    { value: 'b\n:files', about: 'pid 12' },
    { value: '13', about: 'c\x1b[2J\nd' }
  ]
  t.strictSame(completionLines(found), ['shop\tpid 10', '13\tc d'])
})
