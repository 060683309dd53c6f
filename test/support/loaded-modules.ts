// Notes which modules a process of the built program loads.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** Writes down each module that is loaded; Node runs it in a thread of its own. */
const noteModules = `
  import { register } from 'node:module'
  const hook = \`
    import { appendFileSync } from 'node:fs'
    export async function load(url, context, next) {
      appendFileSync(process.env.LOADED, url + String.fromCharCode(10))
      return next(url, context)
    }\`
  register('data:text/javascript,' + encodeURIComponent(hook))`

/** `env` is for the process, whose modules are noted in a file of `folder`. */
export async function noteLoadedModules(folder: string, name: string) {
  const [script, file] = [join(folder, 'note.mjs'), join(folder, `loaded-by-${name}`)]
  await writeFile(script, noteModules)
  return {
    env: { NODE_OPTIONS: `--import ${pathToFileURL(script)}`, LOADED: file },
    /** Addresses of all modules so far. */
    loaded: async (): Promise<string[]> => (await readFile(file, 'utf8')).split('\n'),
  }
}
