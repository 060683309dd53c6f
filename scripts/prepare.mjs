// npm runs it after an install in a clone, before packing, and for an install from git, which has no dist/ otherwise.
try {
  const { buildDist } = await import('./build.mjs')
  await buildDist()
} catch (error) {
  // An install without the packages for development, as `npm ci --omit=dev`, has nothing to build with.
  if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error
  process.stderr.write('dist/ was not built: the packages for development are not installed.\n')
}
