import Stripe from 'stripe'
import { money } from '../lib/money.ts'

const stripe = new Stripe('sk_test_none')

export function charge(cents: number, description: string): Promise<unknown> {
  return stripe.paymentIntents.create({
    amount: cents,
    currency: 'eur',
    description: `${description}, ${money(cents)}`
  })
}
