#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { MapacheError } from '@mapache/core'
import { describeFailure } from '@mapache/core/adapter'
import { dev } from './dev.js'
import { start } from './start.js'

const HELP = `Usage: mapache <command>

  start <entry> [args]   run the entry in several workers, and reload it on SIGHUP
  dev <entry> [args]     run the entry for development, and reload it when a file changes
  help                   print this

Options of start:
  -w, --workers N|auto       how many workers serve
      --name NAME            the cluster's name
      --env-file FILE        environment variables, read anew at each reload
      --settle MS            how long a new worker must serve before the first old one retires
      --boot-timeout MS      how long a worker may take until it is ready
      --drain-timeout MS     how long a retiring worker may take
      --hang-timeout MS      how long a worker's loop may be blocked; 0 is never
      --backlog N            connections that wait in the kernel's queue
      --boot HOW             fork, spawn, or auto: forked where that is safe
      --log-level LEVEL      trace, debug, info, warn, error, fatal or silent
      --log-format FORMAT    auto, json or line

Options of dev:
      --strategy HOW         fork, standby or restart; default: the fastest that works here
      --watch GLOB           files that reload the app beside those that it has loaded; may be repeated
      --refresh              pages reload themselves in the browser
      --inspect[=ADDRESS]    debug the worker, on the same port after each reload
      --poll                 look at files again and again, where the system does not tell of changes
      --env-file, --name, --log-level as above

  -v, --version   print the version
  -h, --help      print this

Signals: SIGHUP reloads, SIGTERM and SIGINT stop gracefully, a second SIGINT or SIGQUIT stops now.
`

/**
 * Runs the command line.
 * @returns the exit code: 0, 1 when the start failed, 2 when the arguments are wrong
 */
async function main(args: string[]): Promise<number | undefined> {
  const [command, ...rest] = args
  switch (command) {
    case 'start':
      if (rest[0] === '-h' || rest[0] === '--help') return main(['help'])
      await start(rest)
      return undefined
    case 'dev':
      if (rest[0] === '-h' || rest[0] === '--help') return main(['help'])
      await dev(rest)
      return undefined
    case undefined:
      process.stderr.write(HELP)
      return 2
    case 'help':
    case '-h':
    case '--help':
      process.stdout.write(HELP)
      return 0
    case '-v':
    case '--version':
      process.stdout.write(`${version()}\n`)
      return 0
    default:
      process.stderr.write(`mapache: unknown command '${command}'\n\n${HELP}`)
      return 2
  }
}

function version(): string {
  return JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version
}

main(process.argv.slice(2)).then(
  (code) => {
    if (code !== undefined) process.exitCode = code
  },
  (error) => {
    // Who quits before the app has served was not told of an error.
    if (error?.code === 'MAPACHE_SUPERVISOR_STOPPED' && process.argv[2] === 'dev') process.exit(0)
    const usage = error instanceof MapacheError && error.code === 'MAPACHE_OPTION_INVALID'
    console.error(usage ? `mapache: ${error.message}\nSee mapache help.` : `mapache: ${describeFailure(error)}`)
    process.exit(usage ? 2 : 1)
  }
)
