// The list of formats: downloads of a page with a server, files of a host that saves them, elsewhere texts to copy.
import type { Source, ViewerData } from '../contract.ts'
import { byId, make, say } from '../elements.ts'

/** `copy` puts a text on the clipboard, or shows it to be copied by hand. */
export function drawFiles(
  { id, formats }: ViewerData,
  source: Source,
  copy: (text: string) => Promise<void>,
): void {
  const box = byId('files', 'details')
  box.querySelector('summary')!.textContent = source.download || source.save ? 'Download' : 'Copy as'
  for (const format of formats) {
    const item = make('li')
    item.append(source.download ? linkTo(source.download(format), format) : buttonFor(format))
    box.querySelector('ul')!.append(item)
  }
  box.hidden = formats.length === 0

  function buttonFor(format: string): HTMLElement {
    const button = make('button', '', format)
    button.type = 'button'
    button.addEventListener('click', () => {
      hand(format).catch((error: Error) => say(error.message))
    })
    return button
  }

  async function hand(format: string): Promise<void> {
    const file = await source.file!(format)
    // A format such as `csv-words` is a kind of CSV.
    if (source.save) await source.save(`${id}.${format.replace(/-.*/, '')}`, file)
    else await copy(file.text ?? '')
  }
}

function linkTo(address: string, format: string): HTMLElement {
  const link = make('a', '', format)
  link.href = address
  link.setAttribute('download', '')
  return link
}
