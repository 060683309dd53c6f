// Elements of the page. Text is only ever set as text.

/** An element of page.html. */
export function byId<Name extends keyof HTMLElementTagNameMap>(
  id: string,
  _name: Name,
): HTMLElementTagNameMap[Name] {
  return document.getElementById(id) as HTMLElementTagNameMap[Name]
}

/** A new element with a class and a text. */
export function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  className = '',
  text = '',
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name)
  if (className) made.className = className
  if (text) made.textContent = text
  return made
}

/** Class of a speaker's colour; there are eight, which repeat. */
export const colourOf = (speaker: number) => (speaker < 0 ? 's-1' : `s${speaker % 8}`)

/** True for keys that belong to an input method: Safari sends the last one when the letters are done. */
export const isComposing = (event: KeyboardEvent) => event.isComposing || event.keyCode === 229

/** Says something to people who see the page, and to those who hear it. */
export function say(text: string): void {
  const status = byId('status', 'p')
  if (status.textContent !== text) status.textContent = text
}

/** Takes back what was said, unless something else was said since. */
export function unsay(text: string): void {
  if (byId('status', 'p').textContent === text) say('')
}
