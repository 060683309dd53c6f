// The speakers, with their colours and shares. A name becomes a field where it can be changed.
import type { Source } from '../contract.ts'
import { byId, colourOf, isComposing, make, say } from '../elements.ts'
import type { Shown } from '../shown.ts'

export interface Speakers {
  /** Opens the field of a speaker's name, by the index of the speaker. */
  edit(index: number): void
}

const maxNameChars = 100

/** `refresh` brings the transcript with the new name. */
export function drawSpeakers(view: Shown, source: Source, refresh: () => Promise<void>): Speakers {
  const list = byId('speakers', 'ul')
  /** Id of the speaker whose name is edited. */
  let edited: string | undefined
  let isTyped = () => false

  function draw(): void {
    // A field that is open stays as it is; the names are drawn when it is closed.
    if (edited !== undefined) return
    const { speakers, canRename } = view.data
    const focused = [...list.children].indexOf(document.activeElement?.closest('li') ?? list)
    list.replaceChildren(
      ...speakers.map(({ label, share }, i) => {
        const item = make('li', colourOf(i))
        const name = canRename ? make('button', 'name') : make('bdi', '', label)
        if (name instanceof HTMLButtonElement) {
          name.type = 'button'
          name.title = 'Rename'
          name.append(make('bdi', '', label), make('span', 'unseen', ', rename'))
          name.addEventListener('click', () => edit(i))
        }
        item.append(make('span', 'dot'), name, ` ${Math.round(share * 100)} %`)
        return item
      }),
    )
    list.hidden = speakers.length === 0
    if (focused >= 0) focus(focused)
  }

  const focus = (index: number) => list.children[index]?.querySelector('button')?.focus()

  function edit(index: number): void {
    const speaker = view.data.speakers[index]
    if (!speaker || !view.data.canRename) return
    if (edited !== undefined && isTyped()) {
      list.querySelector('input')?.focus()
      say('Save or cancel this name first.')
      return
    }
    close()
    edited = speaker.id
    const { id, label } = speaker
    // No form: frames of hosts may send none, and then it has no `submit` event.
    const [group, field] = [make('span', 'rename'), make('input')]
    const before = label === id ? '' : label
    field.value = before
    isTyped = () => field.value !== before
    field.placeholder = id
    field.maxLength = maxNameChars
    field.dir = 'auto'
    field.autocomplete = 'off'
    field.setAttribute('aria-label', `Name of ${label}`)
    field.setAttribute('aria-describedby', 'status')
    const [save, cancel] = [make('button', '', 'Save'), make('button', '', 'Cancel')]
    save.type = cancel.type = 'button'
    group.append(field, save, cancel)

    const end = () => {
      close()
      focus(view.data.speakers.findIndex(one => one.id === id))
    }
    const submit = () => void send(field, save, end)
    save.addEventListener('click', submit)
    cancel.addEventListener('click', end)
    group.addEventListener('keydown', event => {
      // Enter and Escape also end the letters of an input method.
      if (isComposing(event)) return
      const isEnter = event.key === 'Enter' && event.target === field
      if (event.key !== 'Escape' && !isEnter) return
      event.preventDefault()
      event.stopPropagation()
      if (isEnter) submit()
      else end()
    })
    list.children[index]?.replaceChildren(make('span', 'dot'), group)
    field.select()
    field.focus()
  }

  async function send(field: HTMLInputElement, save: HTMLButtonElement, end: () => void): Promise<void> {
    // A key that is held sends again.
    if (save.disabled) return
    const id = edited!
    save.disabled = true
    field.removeAttribute('aria-invalid')
    try {
      await source.rename(id, field.value)
      await refresh()
      if (edited !== id) return
      end()
      say('Renamed.')
    } catch (error) {
      field.setAttribute('aria-invalid', 'true')
      say((error as Error).message)
      if (edited === id) field.focus()
    } finally {
      save.disabled = false
    }
  }

  function close(): void {
    edited = undefined
    draw()
  }

  view.onChange(draw)
  draw()
  return { edit }
}
