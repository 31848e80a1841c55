import type { FastifyInstance } from 'fastify'
import { newId } from '../lib/ids.ts'
import { Customer } from '../models/customer.ts'
import { database } from '../services/database.ts'

export async function customers(app: FastifyInstance): Promise<void> {
  app.post('/customers', async (request) => {
    const { name, email } = Customer.parse(request.body)
    const id = newId('customer')
    await database.query('insert into customers values ($1, $2, $3)', [id, name, email])
    return { id }
  })
}
