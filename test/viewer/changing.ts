// The parts of the page that change: names, the picture of the sound, and the text itself. For any browser.
import { SpeechError } from '../../src/domain/errors.ts'
import type { Transcript } from '../../src/domain/transcript.ts'
import { createKeyedMutex } from '../../src/domain/waiting/keyed-mutex.ts'
import type { TestPage } from './browser.ts'
import { hourOfSpeech, toneClips } from './hour.ts'

export type Tell = (name: string, value: unknown, isFine: boolean) => void

/** Jobs with the hour, whose names can be changed. */
export async function hourJobs() {
  let shown = hourOfSpeech()
  const tones = await toneClips(shown)
  return {
    id: shown.id,
    change(to: (transcript: Transcript) => Transcript) {
      shown = to(shown)
    },
    jobs: {
      read: async () => shown,
      clip: (_owner: string, _id: string, { from = 0 }) => tones.clip(from),
      waveform: async () => ({ peaks: Array.from({ length: 1000 }, (_, i) => 20 + ((i * 37) % 200)) }),
      rename: async (_owner: string, _id: string, { speakers = {} }) => {
        const [[id, name] = ['', '']] = Object.entries<string>(speakers)
        if (/^S\d$/.test(name) && name !== id)
          throw new SpeechError('BAD_INPUT', `${name} is the id of another speaker.`, {
            hint: 'Give a name.',
          })
        shown = {
          ...shown,
          speakers: shown.speakers?.map(one => (one.id === id ? { ...one, name: name.trim() } : one)),
        }
        return shown
      },
      oneAtATime: createKeyedMutex(),
    },
  }
}

export async function testNames(page: TestPage, tell: Tell): Promise<void> {
  const open = async (selector: string) => {
    const { left, top, width, height } = await page.evaluate<Box>(`test.box(${JSON.stringify(selector)})`)
    await page.click(left + width / 2, top + height / 2)
    await page.evaluate('test.until(() => document.activeElement.closest(".rename"))')
  }
  const type = async (text: string) => {
    for (const letter of text) await page.press(letter)
  }
  await page.evaluate('test.scrollTo(0)')
  await open('#speakers li:nth-child(2) button')
  await type('دانا')
  await page.press('Enter')
  await page.evaluate('test.until(() => !document.querySelector(".rename"))')
  const names = await page.evaluate<string[]>('test.names()')
  tell('a speaker is renamed in the head', names, names[1] === 'دانا')
  const inRows = await page.evaluate<string[]>('test.namesInRows()')
  tell('and in the text', inRows, inRows.includes('دانا') && !inRows.includes('Bob'))
  const focused = await page.evaluate<string>('document.activeElement.textContent')
  tell('the name has the focus again', focused, focused.startsWith('دانا'))
  await open('.row .name')
  await type('S2')
  await page.press('Enter')
  const said = await page.evaluate<string>(
    'test.until(() => /another speaker/.test(document.getElementById("status").textContent))',
  )
  const isOpen = await page.evaluate<boolean>(
    'document.querySelector(".rename input").ariaInvalid === "true"',
  )
  tell('a refusal is shown as it is, and the field stays', said, isOpen && said.includes('S2 is the id'))
  await page.press('Escape')
  await page.evaluate('test.until(() => !document.querySelector(".rename"))')
  const after = await page.evaluate<string[]>('test.names()')
  tell('Escape leaves the name as it was', after, after[0] === 'Alice')
  await open('#speakers li:nth-child(1) button')
  await type('Zoë')
  await page.evaluate('test.compose("Escape")')
  await page.evaluate('document.querySelector("#speakers li:nth-child(2) button").click()')
  const typed = await page.evaluate<string | undefined>('document.querySelector(".rename input")?.value')
  tell('letters that are composed, and a click on another name, leave what was typed', typed, typed === 'Zoë')
  await page.press('Escape')
  await page.evaluate('test.until(() => !document.querySelector(".rename"))')
}

/** At a width to which 1,280 pixels come at 400 %. */
export async function testLongName(page: TestPage, tell: Tell): Promise<void> {
  await page.resize(320, 700)
  const rename = async (name: string) => {
    await page.evaluate(`test.name(0, ${JSON.stringify(name)})`)
    await page.evaluate('test.until(() => !document.querySelector(".rename"))')
  }
  await rename('W'.repeat(100))
  const wide = await page.evaluate<string[]>('test.scrollTo(0).then(() => test.tooWide())')
  tell('a long name is broken into lines at 320 pixels', wide, wide.length === 0)
  await rename('Alice')
}

export async function testDoubts(page: TestPage, tell: Tell): Promise<void> {
  await page.evaluate('test.open()')
  const notes = await page.evaluate<string[]>(
    '[...document.querySelectorAll("#notes li")].map(one => one.innerText)',
  )
  const kinds = ['no text', 'uncertain speaker', 'unknown speaker', 'last minute has music']
  tell(
    'gaps, doubts and warnings are listed',
    notes,
    kinds.every((kind, i) => notes[i]?.includes(kind)),
  )
  const shown: string[] = []
  for (const [i, text] of [/^No text from 1:30/, /speaker uncertain/, /Unknown speaker/].entries()) {
    await page.evaluate(`document.querySelectorAll("#notes button")[${i}].click()`)
    shown.push(await page.evaluate<string>('document.activeElement.closest(".row")?.textContent ?? ""'))
    if (!text.test(shown.at(-1)!.replace(/^\d+:\d+(?:gap)?/, ''))) shown.push('wrong')
  }
  tell('and each leads to its place, with the focus', shown, !shown.includes('wrong'))
  await page.evaluate('test.close()')
}

export async function testWave(page: TestPage, tell: Tell): Promise<void> {
  const wave = await page.evaluate<{ heights: number; colours: number; tallest: number }>('test.wave()')
  tell('the picture of the sound', wave, wave.heights > 8 && wave.colours > 4 && wave.tallest > 30)
  const { left, top, width, height } = await page.evaluate<Box>('test.box("#wave")')
  await page.click(left + width / 2, top + height / 2)
  const [middle] = await page.evaluate<string[]>('test.position()')
  tell('a click on its middle goes there', middle, Math.abs(Number(middle) - 1800) < 15)
  await page.press('ArrowRight')
  const [next, spoken] = await page.evaluate<string[]>('test.position()')
  const step = Number(next) - Number(middle)
  tell('an arrow goes 5 s on, with who speaks', spoken, step === 5 && /^30 minutes .*, \S/.test(spoken!))
  await page.click(left + (width * 95) / 3600, top + height / 2)
  const [, gap] = await page.evaluate<string[]>('test.position()')
  tell('a gap is said to be one', gap, /no text$/.test(gap!))
}

export async function testChanges(
  page: TestPage,
  tell: Tell,
  change: (to: (transcript: Transcript) => Transcript) => void,
): Promise<void> {
  const before = await page.evaluate<string>('test.scrollTo(0.5)')
  // As formatting does: other rows before those in view.
  change(shown => ({
    ...shown,
    title: 'Renamed elsewhere',
    segments: shown.segments.flatMap((segment, i) =>
      i % 10 === 0 && segment.words
        ? [
            { ...segment, text: 'so', end: segment.start + 1, words: segment.words.slice(0, 1) },
            { ...segment, start: segment.start + 2 },
          ]
        : [segment],
    ),
  }))
  await page.evaluate('test.look()')
  const said = await page.evaluate<string>('test.until(() => document.title === "Renamed elsewhere")')
  await page.evaluate('test.until(() => /changed/.test(document.getElementById("status").textContent))')
  const after = await page.evaluate<string>('test.place()')
  tell(`a change is shown, and the place is kept ${said}`, [before, after], before === after)
  const marked = await page.evaluate<number>('test.seek(1800.1).then(() => CSS.highlights.get("said").size)')
  const chosen = await page.evaluate<string>('test.chooseAt("30:04")')
  // Another row before it, another name of its speaker, and a gap where a word was said.
  change(shown => ({
    ...shown,
    title: 'Renamed again',
    coverage: { ...shown.coverage, gaps: [{ start: 1800, end: 1804.4, reason: 'Nothing was heard.' }] },
    speakers: shown.speakers?.map(one => ({ ...one, name: `${one.id} again` })),
    segments: shown.segments.flatMap(segment => {
      if (segment.start === 1800) return []
      return segment.start < 9 ? [segment, { ...segment, start: segment.end - 0.1, words: [] }] : [segment]
    }),
  }))
  await page.evaluate('test.look()')
  await page.evaluate('test.until(() => document.title === "Renamed again")')
  const still = await page.evaluate<string>('test.chosen()')
  tell('what is chosen and has the focus stays so', [chosen, still], chosen === still && still.length > 10)
  const marks = await page.evaluate<number>('CSS.highlights.get("said").size')
  tell('the mark of a word that has gone goes with it', [marked, marks], marked === 1 && marks === 0)
}

interface Box {
  left: number
  top: number
  width: number
  height: number
}
