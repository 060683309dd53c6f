// The caller of an HTTP request, as its token says.

export interface Caller {
  /** Owner of the transcripts that the caller may read. */
  owner: string
  /** Undefined for a token of SPEECH_TOKENS, and for the one user of a server without tokens: they may do everything. */
  scopes?: ReadonlySet<string>
  /** When the token ends (milliseconds since 1970), with the allowance for clocks; undefined if it does not. */
  expiresAt?: number
}

/** False for a token that may not be told of changes, which name transcripts. */
export function mayWatch({ scopes }: Caller): boolean {
  return !scopes || scopes.has('transcripts:read')
}
