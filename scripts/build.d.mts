import type { BuildOptions, BuildResult } from 'esbuild'

export declare const buildOptions: BuildOptions
/** Replaces dist/ by a fresh build. Rejects where the bundler does. */
export declare function buildDist(): Promise<BuildResult<{ metafile: true }>[]>
