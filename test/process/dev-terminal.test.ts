import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import t from 'tap'
import { before, FIXTURES, until } from '../support/fixture.js'
import { noBash, Screen, noScreen as skip } from '../support/screen.js'

const ERASE = '\r\x1b[2K'
const PROGRAM = `${process.execPath} dev/terminal.mjs`

t.test('keys are read, and the terminal is given back', { skip }, async (t) => {
  const screen = new Screen(t, `${PROGRAM}; stty -a`)
  await screen.shows(/r reload · m memory · o open · q quit/)
  const begin = `${ERASE}loading … 1 module, 0.0 s${ERASE}name: \r\na note\r\n`
  t.equal(screen.output.slice(0, begin.length), begin, 'the status is erased, and a prompt gets an end')
  t.match(screen.output, /\[\d\d:\d\d:\d\d\.001\] INFO: hello\r\nfailed\r\nError: broken\r\n {2}at a \(b\.js:1:1\)\r\n/)
  t.match(screen.output, 'http://localhost:3000 · fork · server.ts · gen 1 in 620 ms\r\n')
  t.equal(screen.output.split('Error: broken').length, 2, 'the same error is printed once')
  screen.type('r')
  await screen.shows(/reloaded in 84 ms · r · gen 2\r\n/)
  screen.type('m')
  await screen.shows(/worker {4}1 {4}2 {4}– {4}– {5}1\.0\r\n/)
  t.notMatch(screen.output, /\^Z|\^M/, 'what is typed is not echoed')
  screen.type('\x03')
  await screen.shows(/quit, raw=false\r\n[\s\S]* icanon/)
})

t.test('SIGTERM gives the terminal back and ends the process', { skip }, async (t) => {
  const file = path.join(t.testdir(), 'pid')
  const screen = new Screen(t, `sh -c 'echo $$ > ${file}; exec ${PROGRAM}'; stty -a`)
  await screen.shows(/q quit/)
  process.kill(Number(readFileSync(file, 'utf8')), 'SIGTERM')
  await screen.shows(/ icanon/)
})

t.test('Ctrl-Z gives the shell its terminal, fg takes it again', { skip: noBash }, async (t) => {
  const home = mkdtempSync(path.join(tmpdir(), 'mp-'))
  t.teardown(() => rmSync(home, { recursive: true, force: true }))
  const screen = new Screen(t, 'bash --norc --noprofile -i', { HOME: home, TERM: 'dumb' })
  await screen.shows(/[#$] $/)
  screen.type(`${PROGRAM}\n`)
  await screen.shows(/q quit/)
  screen.type('\x1a')
  await screen.shows(/Stopped[\s\S]*[#$] $/)
  let from = screen.output.length
  screen.type('stty -a\n')
  await screen.shows(/ icanon[\s\S]*[#$] $/, from)
  from = screen.output.length
  screen.type('bg\n')
  await screen.shows(/[#$] $/, from)
  from = screen.output.length
  screen.type('echo still a shell; fg\n')
  await screen.shows(/\nstill a shell\r\n/, from)
  // The key may come before the program has its terminal again: then it is read a moment later.
  screen.type('r')
  await screen.shows(/reloaded in 84 ms/, from)
  screen.type('q')
  await screen.shows(/quit, raw=false[\s\S]*[#$] $/, from)
  screen.type('exit\n')
  await before(once(screen.child, 'exit'), () => screen.output)
})

t.test('without a terminal: plain lines, no keys, no progress, and no error when nobody reads', async (t) => {
  const run = (stdout: 'pipe' | 'ignore') => {
    const child = spawn(process.execPath, ['dev/terminal.mjs'], { cwd: FIXTURES, stdio: ['pipe', stdout, 'pipe'] })
    t.teardown(() => child.kill('SIGKILL'))
    return child
  }
  const child = run('pipe')
  let output = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  await until(
    () => output.includes('gen 1 in 620 ms\n'),
    'the start',
    () => output
  )
  t.match(output, /^name: \na note\n\[/)
  for (const text of ['\x1b', 'q quit', 'loading']) t.notMatch(output, text)
  child.kill('SIGTERM')

  const broken = run('pipe')
  let errors = ''
  broken.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  broken.stdout?.destroy()
  const exited = once(broken, 'exit')
  broken.kill('SIGTERM')
  t.same(await before(exited, () => errors), [null, 'SIGTERM'])
  t.equal(errors, '')
})
