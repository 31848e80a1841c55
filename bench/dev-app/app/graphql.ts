import { Products } from './services/products.ts'

export const schema = 'type Query { product(id: Int!): String }'

export const resolvers = {
  Query: { product: async (_root: unknown, { id }: { id: number }) => Products.find(id)?.name }
}
