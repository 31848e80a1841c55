/**
 * Loads a module of the core that its package does not export. By a URL, because tests are written one folder higher
 * than they run, so that no relative import of a value fits both; types come from an `import type` as always.
 * @param path below packages/core/dist
 */
export async function core<Module>(path: string): Promise<Module> {
  return (await import(new URL(`../../../packages/core/dist/${path}`, import.meta.url).href)) as Module
}
