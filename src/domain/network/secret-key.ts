// The key of what a server gives out and takes back later, such as an address or a session that ends.

export const secretKeyBytes = 32

export interface SecretKey {
  /** Random, and the same after a restart, and for all servers that share it. Drawn with the first call. */
  get(): Promise<Uint8Array>
  close(): Promise<void>
}

export function isSecretKey(bytes: Uint8Array | undefined): bytes is Uint8Array {
  return bytes?.length === secretKeyBytes
}
