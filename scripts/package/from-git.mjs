// Installs the project from git, as `npm install git+https://…` does: npm builds it there by itself.
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { npm } from '../npm.mjs'

const git = (cwd, ...args) => execFileSync('git', args, { cwd, encoding: 'utf8' })

/** The folder of the installed package. `scratch`: an empty folder. */
export function installFromGit(root, scratch) {
  const repository = join(scratch, 'repository')
  for (const path of git(root, 'ls-files', '-z', '--cached', '--others', '--exclude-standard').split('\0')) {
    if (path === '') continue
    mkdirSync(dirname(join(repository, path)), { recursive: true })
    cpSync(join(root, path), join(repository, path))
  }
  git(repository, 'init', '--quiet')
  git(repository, 'add', '--all')
  const author = ['-c', 'user.name=test', '-c', 'user.email=test@example.com']
  git(repository, ...author, 'commit', '--quiet', '--message', 'As it is')
  const folder = join(scratch, 'user')
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
  const source = `git+${pathToFileURL(repository)}`
  // npm goes on without ffmpeg-static, whose download is refused; libsql's native part is optional, too.
  const env = { ...process.env, FFMPEG_BINARIES_URL: 'http://127.0.0.1:9' }
  npm(['install', '--no-audit', '--no-fund', '--prefer-offline', source], folder, env)
  return join(folder, 'node_modules', 'speech-mcp')
}
