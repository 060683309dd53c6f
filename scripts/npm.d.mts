/** Returns stdout. `args` may begin with `exec`. */
export declare function npm(args: string[], cwd?: string, env?: NodeJS.ProcessEnv): string
