// Types of the manifest's module, for tests.
export declare const platforms: Record<string, string[]>
export declare const environment: Record<string, string>
export declare function manifestOf(
  project: unknown,
  platform: string,
  tools: { name: string; title?: string }[],
): {
  version: string
  server: unknown
  user_config: Record<string, { sensitive?: boolean }>
}
