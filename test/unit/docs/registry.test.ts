// Registries and clients read these of this package: server.json and the manifest of the bundle agree with package.json.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { environment, manifestOf, platforms } from '../../../scripts/bundle/manifest.mjs'
import { isSecretName } from '../../../src/cli/install/describe-change.ts'
import { settings } from '../../../src/config/settings.ts'
import { root } from '../../support/e2e/system.ts'

const read = (path: string) => JSON.parse(readFileSync(join(root, path), 'utf8'))
const project = read('package.json')
const server = read('server.json')
const settingNames = Object.values(settings).map(({ env }) => env)
const packages: {
  identifier: string
  version: string
  environmentVariables: { name: string; isSecret?: boolean }[]
}[] = server.packages

it('server.json has the name and the version of package.json', () => {
  expect({ name: server.name, version: server.version }).toEqual({
    name: project.mcpName,
    version: project.version,
  })
  for (const { identifier, version } of packages)
    expect({ identifier, version }).toEqual({ identifier: project.name, version: project.version })
})

it('server.json keeps the limits of the registry', () => {
  expect(server.name).toMatch(/^[a-zA-Z0-9.-]+\/[a-zA-Z0-9._-]+$/)
  expect(server.name.length).toBeLessThanOrEqual(200)
  expect(server.description.length).toBeLessThanOrEqual(100)
  expect(server.title.length).toBeLessThanOrEqual(100)
})

it('server.json names settings that exist, and marks the secret ones', () => {
  for (const { environmentVariables } of packages)
    for (const { name, isSecret = false } of environmentVariables) {
      expect(settingNames).toContain(name)
      expect({ name, isSecret }).toEqual({ name, isSecret: isSecretName(name) })
    }
})

it('the manifest of the bundle fills settings that exist from fields that it asks for', () => {
  expect(settingNames).toEqual(expect.arrayContaining(Object.keys(environment)))
  for (const platform of Object.keys(platforms)) {
    const { version, user_config: fields, server } = manifestOf(project, platform, [])
    expect(version).toBe(project.version)
    const used = JSON.stringify(server).matchAll(/\$\{user_config\.(\w+)\}/g)
    expect([...used].map(([, name]) => name).toSorted()).toEqual(Object.keys(fields).toSorted())
  }
})

it('the manifest of the bundle hides the fields that are secret', () => {
  const { user_config: fields } = manifestOf(project, 'linux', [])
  const secret = Object.entries(environment).filter(([name]) => isSecretName(name))
  expect(secret.length).toBeGreaterThan(3)
  for (const [name, template] of secret) {
    const [, field] = /user_config\.(\w+)/.exec(template)!
    expect(fields[field!]?.sensitive, name).toBe(true)
  }
})

const unfilled = (name: string) => `\${${name}}`

it.each([[], [''], [unfilled('user_config.allowed_dirs')], [unfilled('DOCUMENTS'), ' ']])(
  'the bundle does not start where no folder is allowed: %j',
  (...folders) => {
    const start = join(root, 'scripts/bundle/start.mjs')
    const { status, stderr } = spawnSync(process.execPath, [start, ...folders], { encoding: 'utf8' })
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringMatching(/^No folder .*\n$/) })
  },
)
