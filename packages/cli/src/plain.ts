import { stripVTControlCharacters } from 'node:util'

/** Takes out of a foreign text (a name, a message) what a terminal would obey, and puts it into one line. */
export function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return stripVTControlCharacters(text).replace(/[\x00-\x1f\x7f-\x9f]+/g, ' ')
}

/** As `plain`, of a text with lines of its own, such as an error with its stack: it keeps them, and its tabs. */
export function plainLines(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return stripVTControlCharacters(text).replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]+/g, ' ')
}

/** Plain data with each text in it made `plain`. Anything else in it, such as an `Error`, is left as it is. */
export function plainData<Value>(value: Value): Value {
  if (typeof value === 'string') return plain(value) as Value
  if (Array.isArray(value)) return value.map(plainData) as Value
  if (value === null || typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, plainData(one)])) as Value
}
