import { randomUUID } from 'node:crypto'

export function newId(kind: string): string {
  return `${kind}_${randomUUID()}`
}
