/** Writes the host of each connection that this process opens to the file, until the returned function is called. */
export function recordConnections(file: string): () => void
