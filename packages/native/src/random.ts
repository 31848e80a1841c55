import { randomBytes } from 'node:crypto'

// xoshiro128**, of D. Blackman and S. Vigna (public domain): small, fast with 32-bit integers, and its state can be set,
// which that of V8's own generator cannot.
let a = 0
let b = 0
let c = 0
let d = 0

/** Puts our generator in the place of `Math.random`, for whoever asks from now on. */
export function replaceRandom(): void {
  reseedRandom()
  // A method of an object, as the original is: with its name, its length, and no prototype.
  const { random } = {
    random(): number {
      const high = next() >>> 5
      const low = next() >>> 6
      return (high * 67_108_864 + low) / 9_007_199_254_740_992
    }
  }
  Object.defineProperty(Math, 'random', { value: random, writable: true, enumerable: false, configurable: true })
}

/** Starts the generator anew. Copies of a process would go on with the same numbers. */
export function reseedRandom(): void {
  const seed = randomBytes(16)
  a = seed.readInt32LE(0)
  b = seed.readInt32LE(4)
  c = seed.readInt32LE(8)
  d = seed.readInt32LE(12) | 1 // all zeros would stay zeros
}

function next(): number {
  const product = Math.imul(b, 5)
  const result = Math.imul((product << 7) | (product >>> 25), 9)
  const shifted = b << 9
  c ^= a
  d ^= b
  b ^= c
  a ^= d
  c ^= shifted
  d = (d << 11) | (d >>> 21)
  return result
}
