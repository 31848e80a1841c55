/** The latest `size` values of a function with one argument. */
export function cached<Key, Value>(size: number, compute: (key: Key) => Value): (key: Key) => Value {
  const values = new Map<Key, Value>()
  return (key) => {
    const known = values.get(key)
    if (known !== undefined) return known
    const value = compute(key)
    values.set(key, value)
    if (values.size > size) values.delete(values.keys().next().value as Key)
    return value
  }
}
