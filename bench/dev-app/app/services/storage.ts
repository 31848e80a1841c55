import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { config } from '../config.ts'

const client = new S3Client({ region: 'eu-central-1' })

export function keep(key: string, body: Buffer): Promise<unknown> {
  return client.send(new PutObjectCommand({ Bucket: config.bucket, Key: key, Body: body }))
}
