interface Metafile {
  outputs: Record<string, { inputs: Record<string, { bytesInOutput: number }> }>
}

export declare function bundledFolders(metafiles: Metafile[]): string[]
export declare function thirdPartyLicences(
  root: string,
  folders: string[],
  others: Record<string, string>,
): string
