// node switch.mjs 2: makes `current` point to releases/2. A rename is atomic: there is no moment without `current`.
import { renameSync, symlinkSync } from 'node:fs'

const release = process.argv[2]
symlinkSync(`releases/${release}`, 'next')
renameSync('next', 'current')
console.log(`current -> releases/${release}`)
