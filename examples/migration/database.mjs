import sqlite from 'node-sqlite3-wasm'

/** The database is a file: everybody who opens it sees the same. */
export function openDatabase() {
  const database = new sqlite.Database(process.env.DATABASE ?? 'shop.db')
  // Here one process alone may use the file at a time, also to read. Without this, who comes second throws at once.
  database.exec('PRAGMA busy_timeout = 5000')
  return database
}
