// Bare Node: one process, no supervisor.

import { control, task } from './control.mjs'
import { listenPlainly } from './listen.mjs'

const close = await listenPlainly(task())
control({ stop: close, workers: () => [{ pid: process.pid }] })
