// A Node process that only waits: what a supervisor cannot be smaller than.

import { control } from './control.mjs'

control({ stop: () => {}, workers: () => [] })
