// Has the MCP SDK make a schema when it is first used. By itself it makes some 450 at the start, a sixth of the whole
// start: those of its own types, and all that a revision of the protocol has, with the first message.
import { readFileSync } from 'node:fs'

/** Where a statement begins, at the indentation of those before it. */
const next = '(?:const|let|var|function|return|export|/\\*|//)'
const statements = indentation =>
  new RegExp(
    `^${indentation}const (\\S+Schema(?:\\$\\d+)?) = ([\\s\\S]*?);\\n(?=\\s*^${indentation}${next})`,
    'gm',
  )

/** Of its own types: esbuild leaves out those that nothing needs. */
function withoutUnused(source) {
  return replace(
    source,
    statements(''),
    (_, name, value) => `const ${name} = /* @__PURE__ */ (() => ${value})();\n`,
  )
}

/** The same in the part that uses them: it lists all types for programs that ask by name, as this one does not. */
function withoutList(source) {
  const list = /^const _specTypeSchemas = \{\};[\s\S]*?(?=^\/\*\*$)/m
  return replace(source, list, () => 'const _specTypeSchemas = {};\nconst _isSpecType = {};\n')
}

/** Those of revision 2025-11-25, which today's clients speak: one function makes all, and one lists them by method. */
export function onFirstUse(source) {
  const made = replace(source, /^function build\$1\(\) \{\n[\s\S]*?^\}\n/m, lazily)
  const listed = replace(made, /^function registryMaps\(\) \{\n[\s\S]*?^\}\n/m, lister =>
    replace(lister, /(\S+): (s\.\w+)/g, (_, method, schema) => `get ${method}() { return ${schema} }`),
  )
  return `${listed}\n${helpers}`
}

function lazily(builder) {
  const names = [...builder.matchAll(statements('\t'))].map(([, name]) => name.replaceAll('$', '\\$'))
  const uses = new RegExp(`(?<![\\w$]|\\w\\.)(?:${names.join('|')})(?![\\w$]|:| =)`, 'g')
  const made = builder
    .replace(uses, name => `${name}()`)
    .replace(statements('\t'), (_, name, value) => `\tconst ${name} = once(() => ${value});\n`)
  const all = /^\treturn (\{\n[\s\S]*?^\t\});/m
  return replace(
    made,
    all,
    (_, schemas) => `\treturn eachOnce(${schemas.replace(/^(\t\t\w+): /gm, '$1: () => ')});`,
  )
}

const helpers = `
function once(make) {
  let made;
  return () => made ??= make();
}
function eachOnce(makers) {
  const schemas = {};
  for (const [name, make] of Object.entries(makers)) Object.defineProperty(schemas, name, { get: once(make) });
  return schemas;
}`

function replace(source, pattern, by) {
  const changed = source.replace(pattern, by)
  if (changed === source) throw new Error('The MCP SDK reads otherwise: see scripts/build/sdk-schemas.mjs.')
  return changed
}

export const lazySchemas = {
  name: 'lazy-schemas',
  setup({ onLoad, onEnd }) {
    const change = (filter, ...changes) => {
      let isFound = false
      onLoad({ filter }, ({ path }) => {
        isFound = true
        const source = readFileSync(path, 'utf8')
        return { contents: changes.reduce((source, change) => change(source), source), loader: 'js' }
      })
      onEnd(() => {
        if (!isFound) throw new Error('The MCP SDK has other files: see scripts/build/sdk-schemas.mjs.')
      })
    }
    change(/@modelcontextprotocol[/\\]core[/\\]dist[/\\](?:schemas|auth)-[^/\\]+\.mjs$/, withoutUnused)
    change(/@modelcontextprotocol[/\\]server[/\\]dist[/\\]src-[^/\\]+\.mjs$/, withoutList, onFirstUse)
  },
}
