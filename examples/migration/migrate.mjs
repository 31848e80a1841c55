import { readdirSync, readFileSync } from 'node:fs'
import { openDatabase } from './database.mjs'

const folder = new URL('./migrations/', import.meta.url)

/** Brings the database up to date: runs each file of migrations/ that has not run yet, in the order of their numbers. */
export function migrate({ log }) {
  const database = openDatabase()
  try {
    database.exec('CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY)')
    const done = database.all('SELECT number FROM migrations').map(({ number }) => number)
    const names = readdirSync(folder).filter((name) => /^\d+.*\.sql$/.test(name))
    const files = names.map((file) => ({ file, number: Number.parseInt(file, 10) }))
    const missing = files.filter(({ number }) => !done.includes(number)).sort((a, b) => a.number - b.number)
    for (const { file, number } of missing) {
      log('info', `migrating: ${file}`)
      // The migration and the note that it is done: both or neither, wherever this process ends.
      const sql = readFileSync(new URL(file, folder), 'utf8')
      database.exec(`BEGIN; ${sql}; INSERT INTO migrations VALUES (${number}); COMMIT`)
    }
  } finally {
    database.close()
  }
}
