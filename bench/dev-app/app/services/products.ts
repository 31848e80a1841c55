import type { Product } from '../models/product.ts'

const products: Product[] = ['mask', 'ringed tail', 'paw'].map((name, index) => ({
  id: index + 1,
  name,
  price: 100 * (index + 1)
}))

export const Products = {
  all: (): Product[] => products,
  find: (id: number): Product | undefined => products.find((product) => product.id === id)
}
