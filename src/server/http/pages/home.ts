// The home page at `/`, and the little it asks beyond the tools, which it calls at /mcp as every client does.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { PlannedRecording } from '../../../domain/batch/batch.ts'
import { formatUsd } from '../../../domain/costs/budget.ts'
import { codeOf, isSpeechError, SpeechError } from '../../../domain/errors.ts'
import { formatTime } from '../../../domain/format-time.ts'
import { deadlines } from '../../../domain/network/deadlines.ts'
import { uploadIdIn } from '../../../domain/network/uploads.ts'
import { formatNames } from '../../../formats/index.ts'
import type { Jobs } from '../../../jobs/jobs.ts'
import { log } from '../../../log.ts'
import { loadPage } from '../../../viewer/html.ts'
import { parseJson } from '../../json-rpc/json-rpc.ts'
import { describeFailure } from '../../results/failure.ts'
import { answerMsWithin, startLimit } from '../../time-limit.ts'
import type { Tool } from '../../tool.ts'
import { setSafeHeaders } from '../../viewer/guard.ts'
import { pathOf } from '../admission.ts'
import type { Caller } from '../login/caller.ts'
import { type Scope, scopesOfTool } from '../login/scopes.ts'
import { readBody } from '../messages.ts'
import { type JsonResponse, refusals, sendJson } from '../responses.ts'
import { type AccountOptions, createAccount } from './account.ts'
import { pageAddress } from './address.ts'
import { createChangeStreams } from './changes.ts'
import { shownOwner } from './own-page.ts'
import { KeyUnavailable, type Seals } from './seals.ts'
import type { SignIn } from './sign-in.ts'

export interface HomeOptions {
  jobs: Jobs
  /** Those that clients are shown. */
  tools: readonly Tool[]
  signIn: SignIn | undefined
  /** Absent where nobody can sign in with an account. */
  account: AccountOptions | undefined
  /** True where a token signs in. */
  hasTokens: boolean
  /** Absent where no transcript can be opened. */
  seals: Seals | undefined
  /** The current time in milliseconds. */
  now(): number
  callerOf(incoming: IncomingMessage): Promise<Caller | JsonResponse>
  /** The same for a person who follows a link. */
  visitorOf(incoming: IncomingMessage): Promise<Caller | JsonResponse>
  isOwnPage(headers: IncomingMessage['headers']): boolean
  isStopping(): boolean
  /** False where the owner has too many requests; the slot ends with the response. */
  takeSlot(owner: string, outgoing: ServerResponse): boolean
  /** Ends a stream with the session of its caller. */
  endWith(caller: Caller, outgoing: ServerResponse): void
}

const maxBodyBytes = 20_000
const openPath = '/home/open/'
/** Codes of errors that no person at the page can help. */
const ownFaults = /^(?:STORE_|DISK_|QUEUE_|BUCKET_|CONFIG_|INTERNAL)/

type Handler = (caller: Caller, incoming: IncomingMessage, outgoing: ServerResponse) => Promise<void> | void

export function createHome(options: HomeOptions) {
  const { jobs, tools, signIn, hasTokens, seals, now, callerOf, visitorOf, isOwnPage } = options
  const { isStopping, takeSlot, endWith } = options
  const changes = createChangeStreams(jobs)
  const account = options.account && createAccount(options.account)
  /** Both are false where no sign-in is needed, or possible. */
  const ways = { token: hasTokens, login: account !== undefined }

  const sendMe: Handler = (caller, _, outgoing) => {
    const may = tools.map(({ name }) => name).filter(name => hasScopes(caller, scopesOfTool(name)))
    const owner = hasTokens && !caller.owner.includes('~') ? caller.owner : undefined
    const me = { isSignedIn: true, id: shownOwner(caller.owner), canSignOut: signIn !== undefined, owner }
    sendJson(outgoing, ok({ ...me, may, formatNames }))
  }

  /** For a caller who has signed in. */
  const handlers: Record<string, Handler> = {
    'GET /home/me': sendMe,
    // The page asks so: it brings its origin, which tells the cookie of HTTPS behind any proxy.
    'POST /home/me': sendMe,
    'GET /home/changes': (caller, _, outgoing) => {
      if (!hasScopes(caller, ['transcripts:read']))
        return sendJson(outgoing, refusals.noScope(['transcripts:read']))
      // It began before the stop, and would hold it up.
      if (isStopping()) return sendJson(outgoing, refusals.stopping)
      if (!changes.open(caller.owner, outgoing)) return sendJson(outgoing, refusals.tooMany)
      endWith(caller, outgoing)
    },
    'POST /home/price': async (caller, incoming, outgoing) => {
      const given = await bodyOf(incoming)
      const tool = given.tool === 'diarize_audio' ? 'diarize_audio' : 'transcribe_audio'
      const needed = scopesOfTool(tool)
      if (!hasScopes(caller, needed)) return sendJson(outgoing, refusals.noScope(needed))
      const gone = new AbortController()
      outgoing.once('close', () => gone.abort())
      const options = languageOf(given.language)
      const order = { sources: [uploadIn(given.audio)], options, maxRecordings: 1 }
      const limit = startLimit(gone.signal, answerMsWithin(deadlines.call))
      const planned = jobs.plan(order, { tool, owner: caller.owner, signal: limit.signal })
      const { recordings, unreadable, usd } = await Promise.race([planned, limit.timeUp]).finally(limit.stop)
      const [error] = unreadable
      if (error) throw new SpeechError(error.error.code, error.error.message, { hint: error.error.hint })
      sendJson(outgoing, ok({ price: priceOf(recordings[0]!, usd) }))
    },
  }

  async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = incoming
    setSafeHeaders(outgoing)
    const path = pathOf(url)
    if (path === '/') return sendPage(incoming, outgoing)
    if (path.startsWith(openPath) && method === 'GET') return open(incoming, outgoing)
    if (path === '/sign-in' && account) return account.begin(incoming, outgoing)
    if (path === '/signed-in' && account) return account.end(incoming, outgoing)
    if (!path.startsWith('/home/')) return sendJson(outgoing, refusals.notFound)
    if (!isOwnPage(headers)) return sendJson(outgoing, refusals.notOurPage)
    if (method === 'POST' && !headers['content-type']?.startsWith('application/json'))
      return sendJson(outgoing, refusals.notJson)
    const key = `${method} ${path}`
    if (key === 'POST /home/sign-in') return takeToken(incoming, outgoing)
    if (key === 'POST /home/sign-out') {
      if (signIn) outgoing.setHeader('set-cookie', await signIn.none(headers))
      return sendJson(outgoing, ok({}))
    }
    const handler = handlers[key]
    if (!handler) return sendJson(outgoing, refusals.notFound)
    const caller = await callerOf(incoming)
    if (outgoing.destroyed) return
    if ('status' in caller) {
      if (handler === sendMe && caller.status === 401)
        return sendJson(outgoing, ok({ isSignedIn: false, ways }))
      return sendJson(outgoing, caller)
    }
    if (key !== 'GET /home/changes' && !takeSlot(caller.owner, outgoing))
      return sendJson(outgoing, refusals.tooMany)
    await handler(caller, incoming, outgoing)
  }

  /** Leads to the page of a transcript, at a time of it, or to one of its files. */
  async function open(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(incoming.url!, 'http://page')
    const caller = await visitorOf(incoming)
    if ('status' in caller && caller.status !== 401) return sendJson(outgoing, caller)
    if ('status' in caller || !seals) return leadTo('', outgoing)
    if (!hasScopes(caller, ['transcripts:read']))
      return sendJson(outgoing, refusals.noScope(['transcripts:read']))
    const id = pathname.slice(openPath.length)
    if (!/^[\w~-]{1,100}$/.test(id)) return sendJson(outgoing, refusals.notFound)
    const { url } = await pageAddress(seals, '', { owner: caller.owner, id }, now())
    const [format, time] = ['format', 't'].map(name => searchParams.get(name))
    const fragment = time && /^\d{1,9}$/.test(time) ? `#t=${time}` : ''
    leadTo(url.slice(1) + (format ? `export/${encodeURIComponent(format)}` : fragment), outgoing)
  }

  async function takeToken(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { token } = await bodyOf(incoming)
    const cookie =
      typeof token === 'string' ? await signIn?.byToken(token.trim(), incoming.headers) : undefined
    if (cookie === undefined) {
      log.info('login-refused', { reason: 'no token of the settings' })
      return sendJson(outgoing, failure(401, 'This server does not know this token.'))
    }
    outgoing.setHeader('set-cookie', cookie)
    sendJson(outgoing, ok({}))
  }

  return {
    /** Answers every request of `isHome`. */
    async answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
      try {
        await answer(incoming, outgoing)
      } catch (error) {
        if (outgoing.destroyed) return
        if (outgoing.headersSent) return void outgoing.destroy()
        const hasNoKey = error instanceof KeyUnavailable
        const isOurs = hasNoKey || !isSpeechError(error) || ownFaults.test(error.code)
        if (isOurs) log.error('home-failed', { code: codeOf(error) })
        if (hasNoKey) return sendJson(outgoing, refusals.noSessions)
        sendJson(outgoing, failure(isOurs ? 500 : 400, describeFailure(error, jobs)))
      }
    },
    close: changes.close,
  }
}

/** `path`: from that of the page, which a proxy may serve below a path of its own. */
function leadTo(path: string, outgoing: ServerResponse): void {
  outgoing.writeHead(303, { location: `../../${path}` }).end()
}

async function sendPage(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const { html, policy } = await loadPage('home')
  outgoing.setHeader('content-security-policy', `${policy}; frame-ancestors 'none'`)
  outgoing.writeHead(200, { 'content-type': 'text/html; charset=utf-8', vary: 'Accept' })
  outgoing.end(incoming.method === 'HEAD' ? undefined : html)
}

const ok = (body: object): JsonResponse => ({ status: 200, headers: {}, body })
const failure = (status: number, error: string): JsonResponse => ({ status, headers: {}, body: { error } })

function hasScopes({ scopes }: Caller, needed: readonly Scope[]): boolean {
  return !scopes || needed.every(name => scopes.has(name))
}

async function bodyOf(incoming: IncomingMessage): Promise<Record<string, unknown>> {
  const bytes = await readBody(incoming, maxBodyBytes)
  const value = bytes && parseJson(bytes)
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>
  throw new SpeechError('BAD_INPUT', 'The request has no JSON object.', { hint: 'Load the page again.' })
}

/** Nothing else can be asked for its price: paths and addresses belong to tools. */
function uploadIn(audio: unknown): string {
  if (typeof audio === 'string' && uploadIdIn(audio) !== undefined) return audio
  throw new SpeechError('BAD_INPUT', '`audio` is no upload.', { hint: 'Upload the recording first.' })
}

/** A sentence with the upper estimate. */
function priceOf({ state, seconds }: PlannedRecording, usd: number | undefined): string {
  if (state === 'done') return 'This recording is transcribed already: it costs nothing.'
  const length = seconds === undefined ? '' : `${formatTime(seconds)} long. `
  return length + (usd === undefined ? 'The price is not known.' : `It costs at most ${formatUsd(usd)}.`)
}

function languageOf(language: unknown): { language?: string } {
  return typeof language === 'string' && language.trim() !== '' ? { language: language.slice(0, 60) } : {}
}
