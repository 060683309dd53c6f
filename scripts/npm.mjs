// Runs npm, which is a script of its own on each system; the running npm says where it is.
import { execFileSync } from 'node:child_process'

/** Returns stdout. `args` may begin with `exec`. */
export function npm(args, cwd, env = process.env) {
  const script = process.env.npm_execpath
  const [program, ...first] = script ? [process.execPath, script] : ['npm']
  return execFileSync(program, [...first, ...args], {
    cwd,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}
