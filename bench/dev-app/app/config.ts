export interface Config {
  host: string
  port: number
  bucket: string
}

export const config: Config = {
  host: '127.0.0.1',
  port: Number(process.env.PORT ?? 3000),
  bucket: process.env.BUCKET ?? 'shop'
}
