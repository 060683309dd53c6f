// The files that are being sent, and the order of each once it has arrived.
import { byId, make, say } from '../../viewer/page/elements.ts'
import { fingerprintOf, sendFile } from '../tus.ts'
import type { Me, Price, Ticket } from './contract.ts'
import { removeItem, whileBusy } from './focus.ts'
import { ask, call, SignedOut } from './server.ts'
import type { Guard } from './transcripts.ts'

const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1)

/** `onOrdered` is called after each order. */
export function createUploads(guarded: Guard, onOrdered: () => Promise<void>) {
  const [drop, picker, list] = [byId('drop', 'p'), byId('files', 'input'), byId('uploads', 'ul')]
  /** One file at a time: a browser has few connections to a server. */
  let turn: Promise<unknown> = Promise.resolve()
  /** Work that the end of a session has stopped. */
  const stopped: (() => void)[] = []
  const sending = new Set<AbortController>()
  let keyStart = ''
  const keyOf = (file: File) => keyStart + fingerprintOf(file)

  function add(files: Iterable<File>): void {
    for (const file of files) {
      const item = make('li')
      const heading = make('h3', '', file.name)
      heading.dir = 'auto'
      const [bar, state, stop] = [make('progress'), make('p', 'state', 'Waiting'), make('button', '', 'Stop')]
      bar.setAttribute('aria-label', file.name)
      bar.max = Math.max(1, file.size)
      bar.value = 0
      stop.type = 'button'
      stop.setAttribute('aria-label', `Stop ${file.name}`)
      const stopping = new AbortController()
      const { signal } = stopping
      stop.addEventListener('click', () => {
        stopping.abort()
        removeItem(item, picker)
      })
      item.append(heading, bar, state, stop)
      list.append(item)
      const begin = async () => {
        try {
          if (signal.aborted) return
          const audio = await sendTo(file, bar, state, signal)
          if (signal.aborted) return
          bar.remove()
          stop.textContent = 'Remove'
          stop.setAttribute('aria-label', `Remove ${file.name}`)
          say(`${file.name} has arrived.`)
          offer(file, audio, item, state)
        } catch (error) {
          if (signal.aborted) return
          state.textContent = (error as Error).message
          if (error instanceof SignedOut) stopped.push(inTurn)
          // Nothing is under way that leaving the page would stop.
          else bar.remove()
          throw error
        } finally {
          sending.delete(stopping)
        }
      }
      const inTurn = () => {
        sending.add(stopping)
        turn = turn.then(() => guarded(begin))
      }
      inTurn()
    }
  }

  async function sendTo(
    file: File,
    bar: HTMLProgressElement,
    state: HTMLElement,
    signal: AbortSignal,
  ): Promise<string> {
    const onProgress = (done: number) => {
      bar.value = done
      state.textContent = `${megabytes(done)} of ${megabytes(file.size)} MB`
    }
    const onBroken = () => {
      state.textContent = 'The connection is broken. Trying again…'
    }
    const key = keyOf(file)
    // The page was loaded again meanwhile: the upload goes on.
    const kept = sessionStorage.getItem(key)
    const sendAt = (address: string) => sendFile({ address, file, onProgress, onBroken, signal })
    if (kept) {
      const found = await sendAt(kept).catch(() => undefined)
      if (found || signal.aborted) return found ?? ''
    }
    const { url, max_bytes } = await call<Ticket>('request_upload', { name: file.name.slice(0, 200) })
    signal.throwIfAborted()
    if (file.size > max_bytes)
      throw new Error(`The file has ${megabytes(file.size)} MB. At most ${megabytes(max_bytes)} are allowed.`)
    // Below the path of this page, where a proxy serves it.
    const address = new URL(url).pathname.slice(1)
    sessionStorage.setItem(key, address)
    return sendAt(address)
  }

  /** Asks what to do with a recording that has arrived. */
  function offer(file: File, audio: string, item: HTMLLIElement, state: HTMLElement): void {
    const form = make('form', 'options')
    const [bySpeakers, language, order] = [make('input'), make('input'), make('button', '', 'Transcribe')]
    bySpeakers.type = 'checkbox'
    language.size = 10
    language.maxLength = 60
    language.placeholder = 'detected'
    order.type = 'submit'
    form.append(labelled('Language', language), labelled('Who speaks', bySpeakers), order)
    item.querySelector('button')!.before(form)
    const toolOf = () => (bySpeakers.checked ? 'diarize_audio' : 'transcribe_audio')
    const options = () => ({ ...(language.value.trim() && { language: language.value.trim() }) })
    const showPrice = async () => {
      const tool = toolOf()
      state.textContent = 'The price is looked up…'
      const { price } = await ask<Price>('home/price', { audio, tool, ...options() }).catch(error => {
        state.textContent = (error as Error).message
        if (error instanceof SignedOut) stopped.push(() => void guarded(showPrice))
        throw error
      })
      if (tool === toolOf()) state.textContent = price
    }
    bySpeakers.addEventListener('change', () => void guarded(showPrice))
    language.addEventListener('change', () => void guarded(showPrice))
    form.addEventListener('submit', event => {
      event.preventDefault()
      const title = file.name.replace(/\.[^.\s]{1,5}$/, '').slice(0, 200)
      const work = async () => {
        try {
          const given = { audio, ...options(), ...(title && { title }), wait_seconds: 0 }
          await call(toolOf(), given)
          removeItem(item, picker)
          sessionStorage.removeItem(keyOf(file))
          say(`${file.name} is being transcribed.`)
          await onOrdered()
        } catch (error) {
          state.textContent = (error as Error).message
          throw error
        }
      }
      void guarded(() => whileBusy(order, work))
    })
    void guarded(showPrice)
  }

  picker.addEventListener('change', () => {
    add([...(picker.files ?? [])])
    picker.value = ''
  })
  drop.addEventListener('dragover', event => {
    event.preventDefault()
    drop.classList.add('over')
  })
  drop.addEventListener('dragleave', () => drop.classList.remove('over'))
  drop.addEventListener('drop', event => {
    event.preventDefault()
    drop.classList.remove('over')
    add([...(event.dataTransfer?.files ?? [])])
  })
  addEventListener('beforeunload', event => {
    if (list.querySelector('progress')) event.preventDefault()
  })
  return {
    /** Goes on with what the end of a session has stopped, and forgets the addresses of others. */
    begin({ id }: Me): void {
      keyStart = `upload ${id} `
      forget(keyStart)
      for (const work of stopped.splice(0)) work()
    },
    /** Stops all, and forgets what could be gone on with. */
    clear(): void {
      for (const one of sending) one.abort()
      stopped.length = 0
      list.replaceChildren()
      forget()
    },
  }
}

/** Removes the kept addresses, but those whose key begins so. */
function forget(kept?: string): void {
  for (const key of Object.keys(sessionStorage))
    if (key.startsWith('upload ') && !(kept && key.startsWith(kept))) sessionStorage.removeItem(key)
}

function labelled(text: string, input: HTMLInputElement): HTMLLabelElement {
  const label = make('label')
  if (input.type === 'checkbox') label.append(input, ` ${text}`)
  else label.append(`${text} `, input)
  return label
}
