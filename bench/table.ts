// The table of `npm run bench`.

export interface Figure {
  what: string
  /** One number a build; undefined where the system does not report it. */
  values: (number | undefined)[]
  unit: string
  /** The first build's value is to be at most this. */
  limit: number | undefined
  /** Digits behind the point. */
  digits: number
}

export function isMet({ values: [value], limit }: Figure): boolean {
  return value === undefined || limit === undefined || value <= limit
}

/** The figures as a Markdown table; `against` adds the other build's values and the ratios to them. */
export function table(figures: Figure[], against: string | undefined): string {
  const rows = figures.map(figure => {
    const { what, values, unit, limit, digits } = figure
    const show = (value: number | undefined) =>
      value === undefined ? '' : `${value.toFixed(digits)} ${unit}`.trim()
    const [value, other] = values
    const ratio = value !== undefined && other ? (value / other).toFixed(2) : ''
    const target = limit === undefined ? '' : `≤ ${`${limit} ${unit}`.trim()}`
    const met = limit === undefined ? '' : isMet(figure) ? 'met' : 'NO'
    return [what, show(value), ...(against === undefined ? [] : [show(other), ratio]), target, met]
  })
  const head = ['what', 'measured', ...(against === undefined ? [] : ['against', 'ratio']), 'target', '']
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map(row => row[i]!.length)))
  const line = (cells: string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(' | ')} |`
  const rule = `|${widths.map(width => '-'.repeat(width + 2)).join('|')}|`
  return [line(head), rule, ...rows.map(line)].join('\n')
}
