// Doctor's check of the login: whether the identity provider can be reached, and which keys it has.
import type { App } from '../../app.ts'
import type { Config } from '../../config/config.ts'
import { oneLine, plural } from '../../domain/text.ts'
import { fetchKeySet } from '../../server/http/login/issuer-keys.ts'

/** Throws what is wrong with its metadata or its keys. */
export async function checkLogin(
  issuer: string,
  { fetchText }: Pick<App, 'fetchText'>,
  { oauthAudiences, oauthOwnerClaim }: Pick<Config, 'oauthAudiences' | 'oauthOwnerClaim'>,
): Promise<string> {
  const { keys } = await fetchKeySet(issuer, fetchText)
  const kinds = new Set(keys.map(({ alg, kty }) => oneLine(String(alg ?? kty))))
  const audience = oauthAudiences.join(', ')
  return `${new URL(issuer).host} has ${plural(keys.length, 'key')} (${[...kinds].join(', ')}) for ${audience}; owners by ${oauthOwnerClaim}`
}
