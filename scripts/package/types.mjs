// Compiles a program that imports the package's types and holds a real result: each field of it has to be described.
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** `results`: lists by the name of their type. `folder` has the package in its node_modules. Throws where tsc objects. */
export function compileConsumer(root, folder, results) {
  const names = Object.keys(results)
  const lines = names.map(name => `export const a${name}: ${name}[] = ${JSON.stringify(results[name])}`)
  const source = `import type { ${names.join(', ')} } from 'speech-mcp'\n${lines.join('\n')}\n`
  const consumer = join(folder, 'consumer')
  mkdirSync(consumer, { recursive: true })
  const options = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    types: [],
    skipLibCheck: false,
  }
  for (const [module, moduleResolution, file] of [
    ['nodenext', 'nodenext', 'module.mts'],
    ['nodenext', 'nodenext', 'script.cts'],
    ['esnext', 'bundler', 'bundled.ts'],
  ]) {
    writeFileSync(join(consumer, file), source)
    const config = join(consumer, `${file}.json`)
    writeFileSync(
      config,
      JSON.stringify({ compilerOptions: { ...options, module, moduleResolution }, files: [file] }),
    )
    execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', config], {
      stdio: ['ignore', 'inherit', 'inherit'],
    })
  }
}
