// The home page: signs in, shows what is there and what is under way, and takes new recordings.
import { byId, say } from '../../viewer/page/elements.ts'
import type { Changes, Me, Visitor } from './contract.ts'
import { createRunning } from './running.ts'
import { ask, eventsOf, SignedOut, send, showOwner } from './server.ts'
import { createTranscripts } from './transcripts.ts'
import { createUploads } from './uploads.ts'

const maxPauseMs = 30_000

const transcripts = createTranscripts(guarded)
const running = createRunning(guarded)
const uploads = createUploads(guarded, transcripts.load)
let following = new AbortController()
/** The owner whose transcripts the page shows, or has shown. */
let shown: string | undefined

/** Tells the reader what went wrong. */
async function guarded(work: () => Promise<unknown>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (error instanceof SignedOut) await begin().catch(failure => say((failure as Error).message))
    say((error as Error).message)
  }
}

async function begin(): Promise<void> {
  // By POST, so that the server sees the session as it sees that of the calls to come.
  const me = await ask<Me | Visitor>('home/me', {})
  following.abort()
  following = new AbortController()
  if (me.isSignedIn) await showHome(me)
  else showSignIn(me)
}

function showSignIn({ ways }: Visitor): void {
  transcripts.clear()
  running.clear()
  for (const id of ['transcripts', 'upload']) byId(id, 'section').hidden = true
  // A recording that is being sent needs no session.
  if (byId('uploads', 'ul').children.length > 0) byId('upload', 'section').hidden = false
  byId('who', 'p').hidden = true
  byId('sign-in', 'section').hidden = false
  byId('token-form', 'form').hidden = !ways.token
  byId('login', 'p').hidden = !ways.login
  if (ways.token) byId('token', 'input').focus()
  else byId('login', 'p').querySelector('a')!.focus()
}

/** Nothing of an owner stays: the page begins again. */
function startAgain(): void {
  uploads.clear()
  for (const form of document.forms) form.reset()
  location.reload()
}

async function showHome(me: Me): Promise<void> {
  if (shown !== undefined && shown !== me.id) return startAgain()
  shown = me.id
  showOwner(me.id)
  transcripts.begin(me)
  running.begin(me)
  const signIn = byId('sign-in', 'section')
  const hadFocus = signIn.contains(document.activeElement)
  signIn.hidden = true
  byId('who', 'p').hidden = !me.canSignOut
  byId('who', 'p').querySelector('bdi')!.textContent = me.owner ?? ''
  const mayOrder = ['request_upload', 'transcribe_audio'].every(tool => me.may.includes(tool))
  byId('upload', 'section').hidden = !mayOrder
  uploads.begin(me)
  if (!me.may.includes('search_transcripts')) return say('Your account may not read transcripts.')
  byId('transcripts', 'section').hidden = false
  if (hadFocus) byId('transcripts-title', 'h2').focus()
  void follow(following.signal)
  await transcripts.load()
}

/** Shows the jobs under way as they get on, until the session ends. */
async function follow(signal: AbortSignal): Promise<void> {
  let listChanges = 0
  for (let failures = 0; !signal.aborted; failures++) {
    await untilSeen()
    // A browser has six connections to a server, for all its pages: one that nobody sees needs none.
    const unseen = new AbortController()
    const leave = () => document.hidden && unseen.abort()
    document.addEventListener('visibilitychange', leave)
    try {
      const stream = await send('home/changes', { signal: AbortSignal.any([signal, unseen.signal]) })
      for await (const text of eventsOf(stream)) {
        failures = 0
        const changes = JSON.parse(text) as Changes
        const hasEnded = running.show(changes.running)
        if (hasEnded || changes.listChanges !== listChanges) void guarded(transcripts.load)
        listChanges = changes.listChanges
      }
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof SignedOut) return guarded(() => Promise.reject(error))
    } finally {
      document.removeEventListener('visibilitychange', leave)
    }
    if (unseen.signal.aborted) failures = -1
    else await new Promise(resolve => setTimeout(resolve, Math.min(maxPauseMs, 1_000 * 2 ** failures)))
    // A new stream begins to count again.
    listChanges = -1
  }
}

async function untilSeen(): Promise<void> {
  while (document.hidden)
    await new Promise(resolve => document.addEventListener('visibilitychange', resolve, { once: true }))
}

byId('token-form', 'form').addEventListener('submit', event => {
  event.preventDefault()
  const input = byId('token', 'input')
  void guarded(async () => {
    await ask('home/sign-in', { token: input.value })
    input.value = ''
    say('')
    await begin()
  })
})
byId('sign-out', 'button').addEventListener('click', () => {
  void guarded(async () => {
    await ask('home/sign-out', {})
    startAgain()
  })
})

void guarded(begin)
