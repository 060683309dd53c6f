// The clients of both SDKs with their own login: each starts it by itself where the server asks for it.
import { Client as ClientV2, StreamableHTTPClientTransport as HttpV2 } from '@modelcontextprotocol/client'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as HttpV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import { logIn } from './person.ts'
import { clientId, redirectUrl } from './provider.ts'

interface Tokens {
  access_token: string
  refresh_token?: string
  scope?: string
  token_type: string
}

/** Goes where the client sends them, and comes back with the answer of the authorization server. */
export interface Person {
  redirectUrl: string
  logIn(address: URL, name: string): Promise<URL>
}

/** Memory of a client, which both SDKs read and write; without an issuer it has to register itself. */
function createMemory(redirectUrl: string, issuer?: string) {
  let client: Record<string, unknown> | undefined = issuer ? { client_id: clientId, issuer } : undefined
  let verifier = ''
  let discovery: unknown
  const memory = {
    tokens: undefined as Tokens | undefined,
    /** Addresses to which the person was sent. */
    visits: [] as URL[],
    provider: {
      redirectUrl,
      clientMetadata: {
        client_name: 'Test',
        application_type: 'native',
        redirect_uris: [redirectUrl],
        grant_types: ['authorization_code', 'refresh_token'],
        token_endpoint_auth_method: 'none',
      },
      clientInformation: () => client,
      saveClientInformation(information: Record<string, unknown>) {
        client = information
      },
      tokens: () => memory.tokens,
      saveTokens(tokens: Tokens) {
        memory.tokens = tokens
      },
      redirectToAuthorization: (url: URL) => void memory.visits.push(url),
      saveCodeVerifier(code: string) {
        verifier = code
      },
      codeVerifier: () => verifier,
      discoveryState: () => discovery,
      saveDiscoveryState(state: unknown) {
        discovery = state
      },
    },
  }
  return memory
}

export interface OAuthClient {
  memory: ReturnType<typeof createMemory>
  // biome-ignore lint/suspicious/noExplicitAny: tests look into results freely
  call(name: string, args: Record<string, unknown>): Promise<any>
  readResource(uri: string): Promise<{ text?: string }[]>
  /** Scopes that the last login has asked for. */
  askedFor(): string[]
  close(): Promise<void>
}

export interface OAuthAccess {
  url: string
  /** Of a client that is registered, which need not be so anywhere else. */
  issuer: string
  /** The person who logs in. */
  name: string
  /** Default: one who says yes. */
  person?: Person
  /** True for a client that registers itself. */
  registers?: boolean
}

type AnyClient = Pick<ClientV1, 'connect' | 'callTool' | 'readResource' | 'close'>
type AnyTransport = Transport & { finishAuth(callback: URLSearchParams): Promise<void> }

function connectWith(
  openClient: () => AnyClient,
  openTransport: (url: URL, provider: never) => AnyTransport,
) {
  return async ({
    url,
    issuer,
    name,
    registers = false,
    person = { redirectUrl, logIn },
  }: OAuthAccess): Promise<OAuthClient> => {
    const memory = createMemory(person.redirectUrl, registers ? undefined : issuer)
    let [client, transport] = [openClient(), openTransport(new URL(url), memory.provider as never)]

    /** Lets the person log in where the work needs it, and begins again. */
    async function loggingIn<Result>(work: () => Promise<Result>): Promise<Result> {
      const before = memory.visits.length
      try {
        return await work()
      } catch (error) {
        if (memory.visits.length === before) throw error
        const callback = await person.logIn(memory.visits.at(-1)!, name)
        await transport.finishAuth(callback.searchParams)
        return work()
      }
    }

    await loggingIn(async () => {
      if (memory.visits.length > 0) {
        await client.close()
        ;[client, transport] = [openClient(), openTransport(new URL(url), memory.provider as never)]
      }
      await client.connect(transport)
    })
    return {
      memory,
      call: (tool, args) => loggingIn(() => client.callTool({ name: tool, arguments: args })),
      readResource: async uri => (await loggingIn(() => client.readResource({ uri }))).contents as never,
      askedFor: () => memory.visits.at(-1)!.searchParams.get('scope')!.split(' '),
      close: () => client.close(),
    }
  }
}

const info = { name: 'test', version: '1' }

const openV1 = (url: URL, authProvider: never) => {
  const transport = new HttpV1(url, { authProvider })
  const finishAuth = async (callback: URLSearchParams) => {
    // Left to the program that uses this SDK.
    if (!callback.has('code')) throw new Error(callback.get('error')!)
    await transport.finishAuth(callback.get('code')!)
  }
  return new Proxy(transport, {
    get: (target, key) => (key === 'finishAuth' ? finishAuth : Reflect.get(target, key)),
    set: (target, key, value) => Reflect.set(target, key, value),
  }) as unknown as AnyTransport
}

const openV2 = (url: URL, authProvider: never) => new HttpV2(url, { authProvider }) as unknown as AnyTransport
const clientV2 = (mode: 'legacy' | 'auto' | { pin: string }) => () =>
  new ClientV2(info, { versionNegotiation: { mode } }) as unknown as AnyClient

export const oauthClients: [name: string, connect: (access: OAuthAccess) => Promise<OAuthClient>][] = [
  ['SDK v1 (2025-11-25)', connectWith(() => new ClientV1(info), openV1)],
  ['SDK v2, legacy', connectWith(clientV2('legacy'), openV2)],
  ['SDK v2, auto', connectWith(clientV2('auto'), openV2)],
  ['SDK v2, pinned to 2026-07-28', connectWith(clientV2({ pin: '2026-07-28' }), openV2)],
]
