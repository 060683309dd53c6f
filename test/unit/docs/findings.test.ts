// Findings about outside software: their form. The scripts themselves need the network and run outside CI.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { page } from '../../support/documents.ts'
import { root } from '../../support/e2e/system.ts'

const scripts = readdirSync(join(root, 'findings')).filter(name => name !== 'README.md')

it.each(scripts)('%s states what was seen, pins its packages and cleans up', name => {
  const text = readFileSync(join(root, 'findings', name), 'utf8')
  expect(name).toMatch(/^[a-z0-9-]+\.sh$/)
  expect(text).toMatch(/^#!\/usr\/bin\/env bash\n# .*\bSeen\b/s)
  expect(text).toContain('trap \'rm -rf "$folder"\' EXIT')
  const installed = [...text.matchAll(/^(?:npm install|apt-get download) .*$/gm)]
    .flatMap(([line]) => line.replace(/>.*/, '').trim().split(' ').slice(2))
    .filter(word => !word.startsWith('-'))
  expect(installed.length).toBeGreaterThan(0)
  for (const packageName of installed) expect(packageName).toMatch(/.@\d+\.\d+\.\d+$|.=\d\S+$/)
})

it.each(scripts)('%s names the file of this project that depends on it', name => {
  const text = readFileSync(join(root, 'findings', name), 'utf8')
  const dependent = /^# Matters to: ([\w./-]+\.(?:ts|md))\b/m.exec(text)?.[1]
  expect(existsSync(join(root, dependent ?? 'none'))).toBe(true)
})

it('findings/README.md lists every finding', () => {
  const { text } = page('findings/README.md')
  expect(scripts.filter(name => !text.includes(`\`findings/${name}\``))).toEqual([])
})
