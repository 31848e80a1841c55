import sqlite from 'node-sqlite3-wasm'

/** The database is a file: everybody who opens it sees the same. */
export function openDatabase() {
  return new sqlite.Database(process.env.DATABASE ?? 'shop.db')
}
