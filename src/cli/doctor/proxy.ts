// Doctor's line about proxies: which hosts are reached through which one, and which directly. Without user and password.
import type { App } from '../../app.ts'
import type { Config } from '../../config/config.ts'
import { proxyFor } from '../../domain/network/proxies.ts'
import type { Finding } from './formatting.ts'

/** Only hosts that this configuration uses. */
export function describeProxies(
  config: Config,
  { checkGemini, engines }: Pick<App, 'checkGemini' | 'engines'>,
): Finding {
  const { proxies, unusedProxies } = config
  const unused = unusedProxies.map(
    name =>
      `${name} is not used, because only http:// and https:// proxies are supported: set http://host:port, with special characters of user and password percent-encoded, or NO_PROXY=*`,
  )
  if (!proxies) {
    const none = 'none: HTTP_PROXY and HTTPS_PROXY are not set, or NO_PROXY is *'
    return { isOn: false, text: unused.join('; ') || none }
  }
  const bucket = config.bucketKey && config.ossBucket && config.ossEndpoint
  const addresses = [
    config.baseUrl,
    checkGemini && config.geminiUrl,
    engines.some(({ model }) => model.startsWith('openai:')) && config.openaiUrl,
    bucket && (/^https?:/.test(bucket) ? bucket : `https://${bucket}`),
    config.tablestoreEndpoint,
    config.mnsEndpoint,
    config.oauthIssuer,
  ].filter(address => typeof address === 'string')
  const ways = new Map<string, Set<string>>()
  for (const address of addresses) {
    const proxy = proxyFor(address, proxies)
    const way = proxy ? `through ${proxy.protocol}//${proxy.host}` : 'directly'
    ways.set(way, (ways.get(way) ?? new Set()).add(new URL(address).host))
  }
  const text = [...ways].map(([way, hosts]) => `${[...hosts].join(', ')} ${way}`)
  const downloads = proxies.https ?? proxies.http
  return {
    isOn: unused.length === 0,
    text: [...unused, ...text, `downloads through ${downloads!.protocol}//${downloads!.host}`].join('; '),
  }
}
