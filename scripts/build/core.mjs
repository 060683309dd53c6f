// Keeps what the server loads before it lists its tools in few files: each one costs Node about a millisecond. By itself
// esbuild makes a file for each set of parts of the program that share a module.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

const core = 'speech-mcp-core'
const onFirstUse = 'on-first-use'
const isAtOnce = ({ kind, external }) => kind === 'import-statement' && !external

/**
 * The program's modules that are loaded with `entry` or `start` and need no package beyond the entry's: other packages
 * stay in files of their own, as few commands need them. `metafile`: of a build without the core.
 */
export function coreModules({ inputs, outputs }, entry, start) {
  const [ofEntry, ofStart] = [entry, start].map(name => loadedWith(outputs, name))
  const known = new Map(ofEntry.map(path => [path, true]))
  const isLight = path => {
    if (known.has(path)) return known.get(path)
    const needs = inputs[path].imports.filter(isAtOnce)
    known.set(path, path.startsWith('src/') && needs.every(({ path }) => isLight(path)))
    return known.get(path)
  }
  // These stay where they are: they find files beside the entry.
  const { inputs: inEntry } = outputs[outputOf(outputs, entry)]
  return [...new Set([...ofEntry, ...ofStart])].filter(
    path => path.startsWith('src/') && !(path in inEntry) && isLight(path),
  )
}

const outputOf = (outputs, module) => Object.keys(outputs).find(file => outputs[file].entryPoint === module)

/** Modules in the output of this one, and in those that it imports. */
function loadedWith(outputs, module) {
  const files = new Set()
  const visit = file => {
    if (files.has(file)) return
    files.add(file)
    for (const { path } of outputs[file].imports.filter(isAtOnce)) visit(path)
  }
  visit(outputOf(outputs, module))
  return [...files].flatMap(file => Object.keys(outputs[file].inputs))
}

/** Puts `modules` into one file, which `entry` and all that is imported on first use import; those lose default exports. */
export const withCore = (root, entry, modules) => ({
  name: 'with-core',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: new RegExp(`^${core}$`) }, () => ({ path: core, namespace: core }))
    onLoad({ filter: /./, namespace: core }, () => ({
      contents: modules.map(path => `import ${JSON.stringify(resolve(root, path))}`).join('\n'),
      resolveDir: root,
    }))
    onLoad({ filter: /main\.ts$/ }, ({ path }) =>
      path === resolve(root, entry)
        ? { contents: `${readFileSync(path, 'utf8')}\nimport '${core}'`, loader: 'ts' }
        : undefined,
    )
    onResolve({ filter: /^\.+\// }, ({ path, kind, resolveDir }) =>
      kind === 'dynamic-import' ? { path: resolve(resolveDir, path), namespace: onFirstUse } : undefined,
    )
    onLoad({ filter: /./, namespace: onFirstUse }, ({ path }) => ({
      contents: `import '${core}'\nexport * from ${JSON.stringify(path)}`,
      resolveDir: root,
    }))
  },
})
