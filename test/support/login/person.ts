// A person with a browser that knows cookies, redirects and forms: logs in, agrees, and is sent back to the client.
import { redirectUrl } from './provider.ts'

/** Resolves with the address to which the authorization server sends the person back. */
export async function logIn(address: URL | string, name: string, back = redirectUrl): Promise<URL> {
  const cookies = new Map<string, string>()

  async function visit(url: URL, form?: URLSearchParams): Promise<URL> {
    if (url.href.startsWith(back)) return url
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([key, value]) => `${key}=${value}`).join('; ') },
      ...(form && { method: 'POST', body: form }),
    })
    for (const cookie of response.headers.getSetCookie()) {
      const [, key = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
      if (value === '') cookies.delete(key)
      else cookies.set(key, value)
    }
    const location = response.headers.get('location')
    if (location) return visit(new URL(location, url))
    const page = await response.text()
    const action = /<form[^>]* action="([^"]+)"/.exec(page)?.[1]
    if (!action) throw new Error(`No form at ${url.pathname}: ${page.slice(0, 200)}`)
    const hidden = [...page.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)]
    const filled = new URLSearchParams(hidden.map(([, key, value]): [string, string] => [key!, value!]))
    if (/name="login"/.test(page)) {
      filled.set('login', name)
      filled.set('password', 'any')
    }
    return visit(new URL(action, url), filled)
  }

  return visit(new URL(address))
}
