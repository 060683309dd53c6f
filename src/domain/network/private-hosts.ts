// Hosts that are not on the internet, where a user may run an engine of their own.

/** Loopback, private and link-local addresses, names without a dot, and names that exist only in a local network. */
const privateHosts = [
  /^127(?:\.\d+){3}$/,
  /^10(?:\.\d+){3}$/,
  /^192\.168(?:\.\d+){2}$/,
  /^172\.(?:1[6-9]|2\d|3[01])(?:\.\d+){2}$/,
  /^169\.254(?:\.\d+){2}$/,
  /^\[?(?:::1|f[cd][0-9a-f]{2}:.*|fe[89ab][0-9a-f]:.*)\]?$/i,
  /^[a-z0-9_-]+$/i,
  /\.(?:local|lan|internal|localhost)$/i,
]

/** This machine alone. */
export function isLoopback(host: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|::1|\[::1\])$/i.test(host)
}

export function isPrivateHost(host: string): boolean {
  const name = host.replace(/\.$/, '')
  return privateHosts.some(pattern => pattern.test(name))
}

/** False for what is no URL. */
export function isPrivateUrl(text: string): boolean {
  return URL.canParse(text) && isPrivateHost(new URL(text).hostname)
}
