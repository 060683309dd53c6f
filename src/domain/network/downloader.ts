// Contract of downloads.

/** Downloads public URLs. Refuses private addresses, also behind redirects. */
export interface Downloader {
  /** Resolves with the number of bytes written; `onBytes` receives the count after each chunk. */
  download(
    url: string,
    file: string,
    options: { maxBytes: number; signal: AbortSignal; onBytes?: (done: number, total?: number) => void },
  ): Promise<number>
  /**
   * Version of the content at a URL, without its download: equal strings mean equal content. Undefined if the server sends
   * no validator. Throws like `download`.
   */
  identify(url: string, options: { maxBytes: number; signal: AbortSignal }): Promise<string | undefined>
}
