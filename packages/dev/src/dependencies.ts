import { fileOf, type Loaded } from './loaded.js'

/** What is kept loaded for reloads to come: what the app has loaded from node_modules, in the order in which it did. */
export class Dependencies {
  readonly #modules = new Set<Loaded>()
  /** Packages and modules that cannot be kept loaded. */
  readonly #left = new Set<string>()

  /** @returns whether there is more to keep than before */
  add(loaded: Iterable<Loaded>): boolean {
    const before = this.#modules.size
    for (const module of loaded) {
      // What is not code says when it is imported what it is, and cannot be without that.
      const name = module.startsWith('file:') && module.endsWith('.json') ? undefined : packageOf(module)
      if (name !== undefined && !this.#left.has(name) && !this.#left.has(module)) this.#modules.add(module)
    }
    return this.#modules.size > before
  }

  /**
   * Leaves out from now on a module that fails when it is loaded by itself, or the package of a file that opens something.
   * @returns the package's name; undefined when it was none that was kept
   */
  leaveOut(file: string): string | undefined {
    // One that fails alone may still be loaded by another.
    if (this.#modules.delete(file)) {
      this.#left.add(file)
      return packageOf(file)
    }
    const name = packageOf(file)
    if (name === undefined || this.#left.has(name)) return undefined
    this.#left.add(name)
    for (const module of this.#modules) if (packageOf(module) === name) this.#modules.delete(module)
    return name
  }

  /** Forgets what was left out: another version may be there. */
  forgive(): void {
    this.#left.clear()
  }

  get modules(): Loaded[] {
    return [...this.#modules]
  }

  get files(): string[] {
    return this.modules.map(fileOf)
  }
}

/** The name of the package that a module in node_modules is of. A package that is linked from elsewhere is the app's own. */
export function packageOf(module: Loaded): string | undefined {
  const [, name] = /.*[\\/]node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)[\\/]/.exec(fileOf(module)) ?? []
  return name?.replace('\\', '/')
}
