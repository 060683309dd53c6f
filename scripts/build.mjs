// Builds dist/: the program as one entry file and chunks that are loaded on first use. Packages with native parts, or
// whose own files must stay findable, remain outside the bundle.
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))

export const buildOptions = {
  absWorkingDir: root,
  entryPoints: ['src/main.ts'],
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  outdir: 'dist',
  chunkNames: 'chunks/[name]-[hash]',
  logLevel: 'warning',
  external: [
    'libsql',
    'ali-oss',
    'undici',
    'ffmpeg-static',
    '@ffmpeg-installer/ffmpeg',
    '@modelcontextprotocol/client',
    'tablestore',
    '@alicloud/mns',
    'prom-client',
  ],
}

export async function buildDist() {
  rmSync(new URL('../dist', import.meta.url), { recursive: true, force: true })
  await build(buildOptions)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildDist()
