// An issuer of tokens: a web server with metadata and keys, and a pen that signs whatever a test asks for.
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWTHeaderParameters, SignJWT } from 'jose'
import { createHttpClient } from '../../../src/drivers/http/http.ts'
import type { LoginOptions } from '../../../src/server/http/login/login.ts'
import { closedAfterEach } from '../closed-after-each.ts'

export const audience = 'https://speech.example.com/mcp'
export const allScopes = 'transcripts:read transcripts:write speech:spend'

type Pair = Awaited<ReturnType<typeof generateKeyPair>>

export interface IssuerOptions {
  alg?: string
  /** Answers instead of the issuer. */
  answer?: (path: string, response: ServerResponse) => boolean
}

export async function startIssuer({ alg = 'ES256', answer }: IssuerOptions = {}) {
  const make = async (kid: string) => ({
    kid,
    ...((await generateKeyPair(alg, { extractable: true })) as Pair),
  })
  let key = await make('first')
  const published = [key]
  const requests: string[] = []
  const server = createServer(async ({ url = '' }, response) => {
    requests.push(url)
    if (issuer.status !== 200) return response.writeHead(issuer.status).end()
    if (answer?.(url, response)) return
    if (url === '/keys') {
      const keys = published.map(async ({ kid, publicKey }) => ({
        ...(await exportJWK(publicKey)),
        kid,
        alg,
      }))
      return response.end(JSON.stringify({ keys: await Promise.all(keys) }))
    }
    if (url !== '/.well-known/openid-configuration') return response.writeHead(404).end()
    response.end(JSON.stringify({ issuer: issuer.url, jwks_uri: `${issuer.url}/keys`, ...issuer.metadata }))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const http = createHttpClient({ connections: 4 })

  const issuer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Paths that were asked for. */
    requests,
    /** Other than 200: for everything. */
    status: 200,
    /** Goes before what the metadata says otherwise. */
    metadata: {} as Record<string, unknown>,
    publicKey: () => key.publicKey,
    /** A new key signs from now on; `keep` says whether the old ones stay published. */
    async rotate(kid: string, keep = true): Promise<void> {
      key = await make(kid)
      if (!keep) published.length = 0
      published.push(key)
    },
    /** Without the claims that are undefined. */
    sign(claims: Record<string, unknown> = {}, header: Partial<JWTHeaderParameters> = {}): Promise<string> {
      const now = Math.floor(Date.now() / 1000)
      const usual = { iss: issuer.url, aud: audience, sub: 'ann', scope: allScopes, iat: now, exp: now + 300 }
      return new SignJWT({ ...usual, ...claims })
        .setProtectedHeader({ alg, kid: key.kid, typ: 'at+jwt', ...header })
        .sign(
          key.privateKey,
          header.crit && { crit: Object.fromEntries(header.crit.map(name => [name, true])) },
        )
    },
    login: (options: Partial<LoginOptions> = {}): LoginOptions => ({
      issuer: issuer.url,
      audiences: [audience],
      ownerClaim: 'sub',
      fetchText: http.fetchText,
      ...options,
    }),
    async close(): Promise<void> {
      await http.close()
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
  return issuer
}

export type TestIssuer = Awaited<ReturnType<typeof startIssuer>>

export const issuersOfEachTest = () => closedAfterEach(startIssuer)

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
