import { cached } from './cache.ts'

const format = cached(8, (currency: string) => new Intl.NumberFormat('en', { style: 'currency', currency }))

export function money(cents: number, currency = 'EUR'): string {
  return format(currency).format(cents / 100)
}
