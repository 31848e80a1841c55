import { mapacheHttp } from '@mapache/core'
import { worker } from '@mapache/core/worker'
import { openDatabase } from './database.mjs'
import { migrate } from './migrate.mjs'

function createListener() {
  const database = openDatabase()
  const listener = (_req, res) => {
    const products = database.all('SELECT * FROM products ORDER BY id')
    res.end(`${JSON.stringify(products)}\nfrom worker ${worker.id}, generation ${worker.generation}\n`)
  }
  return { listener, close: () => database.close() }
}

await mapacheHttp(createListener, {
  workers: 2,
  name: process.env.NAME ?? 'migration',
  // Once for each generation, before its first worker.
  setup: migrate
}).listen(Number(process.env.PORT ?? 3000), '127.0.0.1')
