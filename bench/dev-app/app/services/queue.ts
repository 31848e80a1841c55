import { Redis } from 'ioredis'

export const queue = new Redis({ lazyConnect: true })
