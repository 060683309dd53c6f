// The subset of XML that OSS and MNS use.

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
}

type Content = string | number | boolean | Elements | (string | Elements)[]

/** Content by element name; an array repeats the element. */
export interface Elements {
  [name: string]: Content | undefined
}

export function xml(root: string, elements: Elements): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}>${inner(elements)}</${root}>`
}

function inner(elements: Elements): string {
  return Object.entries(elements)
    .flatMap(([name, content]) => {
      if (content === undefined) return []
      const all = Array.isArray(content) ? content : [content]
      return all.map(
        one =>
          `<${name}>${typeof one === 'object' ? inner(one) : String(one).replace(/[&<>"']/g, sign => entities[sign]!)}</${name}>`,
      )
    })
    .join('')
}

/** The content of each element of a name. */
export function elementsOf(text: string, name: string): string[] {
  return [...text.matchAll(new RegExp(`<${name}>([\\s\\S]*?)</${name}>`, 'g'))].map(found => found[1]!)
}

export function textOf(text: string, name: string): string | undefined {
  return elementsOf(text, name)[0]
    ?.trim()
    .replace(/&(?:(amp|lt|gt|quot|apos)|#(\d+)|#x([0-9a-f]+));/gi, (_, named, decimal, hexadecimal) => {
      if (named)
        return Object.keys(entities).find(sign => entities[sign] === `&${named.toLowerCase()};`) ?? ''
      return String.fromCodePoint(decimal ? Number(decimal) : Number.parseInt(hexadecimal, 16))
    })
}
