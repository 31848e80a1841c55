import { EntitySchema } from 'typeorm'

export interface Product {
  id: number
  name: string
  price: number
}

export const ProductEntity = new EntitySchema<Product>({
  name: 'Product',
  columns: { id: { type: Number, primary: true }, name: { type: String }, price: { type: Number } }
})
