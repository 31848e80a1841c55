import { BUCKETS } from './report.js'

/** @returns the URL of the workers' part with the buckets in it; `readBuckets` reads them there */
export function withBuckets(module: URL, buckets: readonly number[]): URL {
  const url = new URL(module)
  url.searchParams.set('buckets', buckets.join())
  return url
}

/** @returns upper bounds, seconds */
export function readBuckets(url: string): number[] {
  return (new URL(url).searchParams.get('buckets') ?? BUCKETS.join()).split(',').map(Number)
}
