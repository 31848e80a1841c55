import pg from 'pg'

// Connects with the first query.
export const database = new pg.Pool({ connectionString: 'postgres://127.0.0.1:1/shop', max: 4 })
