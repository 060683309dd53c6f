// Which URLs go through a proxy: private hosts, NO_PROXY, and the two proxies.
import { describe, expect, it } from 'vitest'
import { proxyAuthorization, proxyFor } from '../../../../src/domain/network/proxies.ts'

const http = new URL('http://proxy.corp:3128')
const https = new URL('http://secure.corp:3129')

describe('a proxy', () => {
  it('serves the URLs of its scheme, and that of http stands in for the other', () => {
    const find = (url: string, proxies: object) => proxyFor(url, { exceptions: '', ...proxies })?.host
    expect(find('http://a.com/', { http, https })).toBe('proxy.corp:3128')
    expect(find('https://a.com/', { http, https })).toBe('secure.corp:3129')
    expect(find('https://a.com/', { http })).toBe('proxy.corp:3128')
    expect(find('http://a.com/', { https })).toBeUndefined()
    expect(proxyFor('https://a.com/', undefined)).toBeUndefined()
  })

  it.each([
    'http://127.0.0.1:8000/v1',
    'http://localhost:8000/v1',
    'http://[::1]:8000/v1',
    'http://192.168.1.5/v1',
    'https://10.0.0.1/talk.mp3',
    'http://gpu:8000/v1',
    'http://gpu.local/v1',
    'http://host.docker.internal:8000',
  ])('is never asked for this machine or a private network (%s)', url => {
    expect(proxyFor(url, { http, https, exceptions: '' })).toBeUndefined()
  })

  it.each([
    ['*', 'https://a.com/', true],
    ['b.com,*', 'https://a.com/', true],
    ['a.com', 'https://a.com/', true],
    ['A.com', 'https://a.COM/', true],
    ['.a.com', 'https://a.com/', true],
    ['*.a.com', 'https://x.a.com/', true],
    ['a.com', 'https://deep.x.a.com/', true],
    ['a.com', 'https://ba.com/', false],
    ['a.com', 'https://a.com.evil.net/', false],
    ['b.com  a.com', 'https://a.com/', true],
    ['b.com,, a.com ,', 'https://a.com/', true],
    ['a.com:443', 'https://a.com/', true],
    ['a.com:80', 'https://a.com/', false],
    ['a.com:8443', 'https://a.com:8443/', true],
    ['8.8.8.8', 'https://8.8.8.8/', true],
    ['[2001:4860::8]:443', 'https://[2001:4860::8]/', true],
    ['', 'https://a.com/', false],
  ])('with NO_PROXY “%s” is left out for %s: %s', (exceptions, url, isDirect) => {
    expect(proxyFor(url, { http, https, exceptions }) === undefined).toBe(isDirect)
  })

  it('gets user and password as they are without the encoding of a URL', () => {
    const sent = proxyAuthorization(new URL('http://some%40one:p%3Aw@proxy.corp'))['proxy-authorization']
    expect(Buffer.from(sent!.replace('Basic ', ''), 'base64').toString()).toBe('some@one:p:w')
    expect(proxyAuthorization(http)).toEqual({})
  })
})
