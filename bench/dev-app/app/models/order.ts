import { z } from 'zod'

export const Order = z.object({
  product: z.number().int().positive(),
  amount: z.number().int().positive().max(100),
  note: z.string().max(500).optional()
})

export type Order = z.infer<typeof Order>
