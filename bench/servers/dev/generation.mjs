// import('./app.mjs?v=2') loads app.mjs again, and not what it imports. This loader hook hands the mark on to the app's own
// files; what is in node_modules stays as it is.

export async function resolve(specifier, context, nextResolve) {
  const found = await nextResolve(specifier, context)
  const mark = context.parentURL === undefined ? '' : new URL(context.parentURL).search
  if (mark === '' || !found.url.startsWith('file:') || found.url.includes('/node_modules/')) return found
  const url = new URL(found.url)
  if (url.search === '') url.search = mark
  return { ...found, url: url.href }
}
