// Settings of a login: the issuer to the letter, the audiences, and the claim of the owner.
import { expect, it } from 'vitest'
import { readConfig } from '../../../src/config/config.ts'

const issuer = 'https://login.example.com/realms/main'
const audience = 'https://speech.example.com/mcp'
const read = (
  SPEECH_OAUTH_ISSUER?: string,
  SPEECH_OAUTH_AUDIENCE?: string,
  SPEECH_OAUTH_OWNER_CLAIM?: string,
) => readConfig({ SPEECH_OAUTH_ISSUER, SPEECH_OAUTH_AUDIENCE, SPEECH_OAUTH_OWNER_CLAIM })

it('without settings there is no login', () => {
  expect(readConfig({})).toMatchObject({ oauthIssuer: undefined, oauthAudiences: [], oauthOwnerClaim: 'sub' })
})

it('the issuer stays as it is given, with or without a slash at its end', () => {
  for (const given of [
    issuer,
    `${issuer}/`,
    'https://LOGIN.example.com',
    'http://127.0.0.1:8080/realms/main',
  ])
    expect(read(given, audience).oauthIssuer).toBe(given)
})

it('there may be several audiences, addresses or not', () => {
  expect(read(issuer, ` ${audience}, api://speech ,2f9c2c1e`).oauthAudiences).toEqual([
    audience,
    'api://speech',
    '2f9c2c1e',
  ])
})

it('the claim of the owner may have the form of an address', () => {
  expect(read(issuer, audience, 'https://example.com/team').oauthOwnerClaim).toBe('https://example.com/team')
})

it.each([
  ['an issuer without an audience', [issuer]],
  ['an audience without an issuer', [undefined, audience]],
  ['an audience without a name', [issuer, ' , ']],
  ['an audience with a quote', [issuer, 'a"b']],
  ['an audience that is half an address', [issuer, 'https://']],
  ['an issuer without TLS', ['http://login.example.com', audience]],
  ['an issuer without TLS in a private network', ['http://10.0.0.7', audience]],
  ['an issuer that only looks like this machine', ['http://localhost.example.com', audience]],
  ['an issuer with a query', [`${issuer}?a=1`, audience]],
  ['an issuer with a password', ['https://ann:secret@login.example.com', audience]],
  ['an issuer that is no address', ['login.example.com', audience]],
  ['a claim with a blank', [issuer, audience, 'the owner']],
])('%s is refused, and its value is not repeated', (_, values) => {
  expect(() => read(...(values as [string]))).toThrow(/SPEECH_OAUTH_(?:ISSUER|AUDIENCE|OWNER_CLAIM)/)
  expect(() => read(...(values as [string]))).not.toThrow(/secret|localhost\.example/)
})

it('a client for the sign-in of people needs an identity provider, and its secret needs the client', () => {
  const login = { SPEECH_OAUTH_ISSUER: 'https://login.example.com', SPEECH_OAUTH_AUDIENCE: 'speech' }
  const client = { SPEECH_OAUTH_CLIENT_ID: 'speech-home' }
  const secret = { SPEECH_OAUTH_CLIENT_SECRET: 'abc' }
  expect(readConfig({ ...login, ...client, ...secret })).toMatchObject({ oauthClientId: 'speech-home' })
  for (const wrong of [client, { ...login, ...secret }, { ...login, SPEECH_OAUTH_CLIENT_ID: 'a b' }])
    expect(() => readConfig(wrong)).toThrow(/SPEECH_OAUTH_CLIENT|sign-in with an account/)
})
