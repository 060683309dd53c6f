// A real authorization server for tests (oidc-provider), with one client and forms to log in and to agree.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair } from 'jose'
import Provider from 'oidc-provider'
import { vi } from 'vitest'
import { allScopes } from './issuer.ts'

export const redirectUrl = 'http://127.0.0.1:1/callback'
export const clientId = 'speech-client'
/** Clients as which people sign in at the home page, with and without a secret. */
export const homeClients = [{ id: 'speech-home' }, { id: 'speech-home-secret', secret: 'p=&% 1' }]
export const homeAddress = 'https://speech.example'
/** Audience of all tokens: the address of a test server is known only once it runs. */
export const providerAudience = 'speech'

export interface ProviderOptions {
  /** Seconds. */
  tokenLife?: number
  /** False: a client gets no token that renews another one. */
  refreshes?: boolean
}

async function newKey(kid: string) {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  return { ...(await exportJWK(privateKey)), kid, alg: 'ES256', use: 'sig' }
}

export async function startProvider({ tokenLife = 600, refreshes = true }: ProviderOptions = {}) {
  let handle = (_: IncomingMessage, response: ServerResponse): void => void response.writeHead(503).end()
  const server = createServer((request, response) => handle(request, response))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const keys = [await newKey('first')]

  function start(): void {
    // It warns of what is meant for tests alone.
    const quiet = (['info', 'warn'] as const).map(name =>
      vi.spyOn(console, name).mockImplementation(() => {}),
    )
    const provider = new Provider(url, {
      clients: [
        {
          client_id: clientId,
          application_type: 'native',
          redirect_uris: [redirectUrl],
          grant_types: ['authorization_code', 'refresh_token'],
          response_types: ['code'],
          token_endpoint_auth_method: 'none',
        },
        ...homeClients.map(({ id, secret }) => ({
          client_id: id,
          redirect_uris: [`${homeAddress}/signed-in`],
          ...(secret && { client_secret: secret }),
          token_endpoint_auth_method: secret ? ('client_secret_basic' as const) : ('none' as const),
        })),
      ],
      jwks: { keys },
      clientDefaults: { id_token_signed_response_alg: 'ES256' },
      cookies: { keys: ['only for tests'] },
      pkce: { required: () => true },
      scopes: ['openid', 'offline_access', ...allScopes.split(' ')],
      renderError(ctx, { error, error_description }) {
        ctx.body = `${error}: ${error_description}`
      },
      findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
      issueRefreshToken: async () => refreshes,
      // A client may renew its token twice at once.
      rotateRefreshToken: false,
      ttl: { AccessToken: tokenLife, Session: 600, Grant: 600, Interaction: 600, RefreshToken: 600 },
      features: {
        devInteractions: { enabled: true },
        registration: { enabled: true },
        resourceIndicators: {
          enabled: true,
          useGrantedResource: () => true,
          getResourceServerInfo: () => ({
            scope: running.grants,
            audience: providerAudience,
            accessTokenTTL: tokenLife,
            accessTokenFormat: 'jwt',
            jwt: { sign: { alg: 'ES256' } },
          }),
        },
      },
    })
    const answer = provider.callback()
    for (const spy of quiet) spy.mockRestore()
    handle = async (request, response) => {
      if (request.url === '/token') await running.onTokens()
      await answer(request, response)
    }
  }

  const running = {
    url,
    /** Scopes that anybody may have. */
    grants: allScopes,
    /** Called when a client asks for tokens; the answer waits for it. */
    onTokens: (): void | Promise<void> => {},
    /** New tokens have another key; the old ones stay valid. */
    async rotate(): Promise<void> {
      keys.unshift(await newKey(`key-${keys.length}`))
      start()
    },
    async close(): Promise<void> {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
  start()
  return running
}
