// Runs in the page before its script: measures it from inside.
const sounds = []
const OwnAudio = Audio
const isFirefox = navigator.userAgent.includes('Firefox')
globalThis.Audio = new Proxy(OwnAudio, {
  construct(target, given) {
    const audio = Reflect.construct(target, given)
    sounds.push(audio)
    // Without a device for sound, Firefox plays nothing but what a script takes over.
    if (isFirefox) new AudioContext().createMediaElementSource(audio)
    return audio
  },
})
const longTasks = []
// Firefox counts none.
if (PerformanceObserver.supportedEntryTypes.includes('longtask'))
  new PerformanceObserver(list => {
    for (const { duration } of list.getEntries()) longTasks.push(Math.round(duration))
  }).observe({ type: 'longtask', buffered: true })

const frame = () => new Promise(resolve => requestAnimationFrame(resolve))
const byId = id => document.getElementById(id)
const nodesNow = () => document.createNodeIterator(document, NodeFilter.SHOW_ALL)
function countNodes() {
  const nodes = nodesNow()
  let count = 0
  while (nodes.nextNode()) count++
  return count
}

globalThis.test = {
  /** Milliseconds from the data to the frame that shows it. */
  async shown() {
    while (performance.getEntriesByName('shown').length === 0) await frame()
    const began = performance.getEntriesByName('loaded')[0].startTime
    const shown = performance.getEntriesByName('shown')[0].startTime
    return shown - began
  },
  async scroll() {
    const scroller = byId('scroller')
    longTasks.length = 0
    // biome-ignore lint/suspicious/noConsole: finds the process of the page in a trace
    console.timeStamp('measured page')
    let nodes = 0
    let frames = 0
    const bottom = () => scroller.scrollHeight - scroller.clientHeight
    for (let top = 0; top < bottom(); top += 150, frames++) {
      scroller.scrollTop = top
      await frame()
      if (frames % 20 === 0) nodes = Math.max(nodes, countNodes())
    }
    for (let i = 0; i < 40; i++, frames++) {
      scroller.scrollTop = bottom() * ((i * 0.61803) % 1)
      await frame()
      nodes = Math.max(nodes, countNodes())
    }
    await frame()
    return { nodes, frames, longTasks: [...longTasks] }
  },
  async search(text) {
    const query = byId('query')
    query.value = text
    query.dispatchEvent(new Event('input'))
    while (byId('hits').textContent === '') await frame()
    return byId('hits').textContent
  },
  /** Plays some seconds from 0:18 on; milliseconds by which each mark is later than the tone of its word. */
  async play(seconds) {
    const scroller = byId('scroller')
    scroller.scrollTop = 0
    for (let i = 0; i < 4; i++) await frame()
    const row = [...document.querySelectorAll('.row')].find(({ textContent }) => /^0:18/.test(textContent))
    row.querySelector('.time').click()
    const [audio] = sounds
    const context = new AudioContext()
    const analyser = context.createAnalyser()
    analyser.fftSize = 512
    const source = context.createMediaElementSource(audio)
    source.connect(analyser)
    source.connect(context.destination)
    while (audio.paused || audio.currentTime === 0) await frame()
    const samples = new Float32Array(512)
    const tones = []
    const marks = []
    let wasLoud = true
    let last = ''
    const ends = performance.now() + seconds * 1000
    await new Promise(resolve => {
      // More often than frames.
      const timer = setInterval(() => {
        analyser.getFloatTimeDomainData(samples)
        const isLoud = Math.max(...samples.slice(-128).map(Math.abs)) > 0.1
        if (isLoud && !wasLoud) tones.push(performance.now())
        wasLoud = isLoud
        const [range] = CSS.highlights.get('said')
        const mark = range ? `${range.startContainer.data}|${range.startOffset}` : ''
        if (mark !== last) marks.push(performance.now())
        last = mark
        if (performance.now() < ends) return
        clearInterval(timer)
        resolve()
      }, 4)
    })
    return tones.slice(0, 30).map(tone => {
      const nearest = marks.reduce((best, mark) =>
        Math.abs(mark - tone) < Math.abs(best - tone) ? mark : best,
      )
      return Math.round(nearest - tone)
    })
  },
  /**
   * The same where no sound can be listened to: milliseconds by which each mark is later than its word on the clock of the
   * player, and those by which the tones of the piece, as the browser decodes it, are later than their words.
   */
  async playByClock(seconds) {
    const wordMs = 300
    const rowMs = 15 * wordMs
    byId('scroller').scrollTop = 0
    for (let i = 0; i < 4; i++) await frame()
    const row = [...document.querySelectorAll('.row')].find(({ textContent }) => /^0:18/.test(textContent))
    row.querySelector('.time').click()
    const [audio] = sounds
    while (audio.paused || audio.currentTime === 0) await frame()
    const isLate = ms => Math.round(((ms + 50) % wordMs) - 50)
    const marks = []
    let last = ''
    while (audio.currentTime < seconds) {
      await new Promise(resolve => setTimeout(resolve, 4))
      const [range] = CSS.highlights.get('said')
      const mark = range ? `${range.startContainer.data}|${range.startOffset}` : ''
      if (mark !== last && last) marks.push(isLate((audio.currentTime * 1000) % rowMs))
      last = mark
    }
    const piece = await (await fetch('audio?from=18')).arrayBuffer()
    const decoded = await new OfflineAudioContext(1, 1, 16_000).decodeAudioData(piece)
    const samples = decoded.getChannelData(0)
    const tones = []
    for (let at = 0, quiet = 1600; at < seconds * 16_000; at++) {
      if (Math.abs(samples[at]) < 0.1) quiet++
      else {
        const ms = at / 16
        if (quiet > 1000) tones.push(isLate(ms % rowMs))
        quiet = 0
      }
    }
    return { marks, tones }
  },
  /** Plays over the end of a piece; the milliseconds of silence between it and the next one. */
  async playAcross(from) {
    const [audio] = sounds
    const position = byId('position')
    position.value = String(from)
    position.dispatchEvent(new Event('input'))
    const ended = await new Promise(resolve =>
      audio.addEventListener('ended', () => resolve(performance.now()), { once: true }),
    )
    while (audio.ended || audio.paused || audio.currentTime === 0) await frame()
    return Math.round(performance.now() - ended)
  },
  /** Plays from a time on until something is said to the reader. */
  async playInto(from) {
    const position = byId('position')
    position.value = String(from)
    position.dispatchEvent(new Event('input'))
    while (!byId('status').textContent.startsWith('No text')) await frame()
    const said = byId('status').textContent
    byId('play').click()
    return said
  },
  /** Scrolls away while it plays: pixels that the list moves until the row changes, and whether Play brings the row back. */
  async scrollAway(from) {
    const [scroller, position] = [byId('scroller'), byId('position')]
    position.value = String(from)
    position.dispatchEvent(new Event('input'))
    byId('play').click()
    const here = () => document.querySelector('.row.here')
    while (!here()) await frame()
    const before = here().dataset.index
    scroller.scrollTop = scroller.scrollHeight / 2
    // Rows are measured as they are drawn.
    for (let i = 0; i < 10; i++) await frame()
    const away = scroller.scrollTop
    const start = Number(position.value)
    // The longest row of the hour takes less.
    while (Number(position.value) < start + 12) await frame()
    const moved = Math.abs(scroller.scrollTop - away)
    byId('play').click()
    await frame()
    byId('play').click()
    await frame()
    await frame()
    const row = here()
    const [seen, top] = [row?.getBoundingClientRect(), scroller.getBoundingClientRect().top]
    const isBack = row !== null && row.dataset.index !== before && seen.bottom > top
    byId('play').click()
    return { moved, isBack }
  },
  /** Plays the first row until something was heard; the seconds it has played. */
  async playFirst() {
    document.querySelector('.row .time').click()
    const status = byId('status')
    while (!sounds[0] || sounds[0].currentTime < 0.4) {
      await frame()
      if (status.textContent && !/^(?:Fetching|Loading)/.test(status.textContent))
        throw new Error(status.textContent)
    }
    const played = sounds[0].currentTime
    byId('play').click()
    return played
  },
  /** Chooses the first row, and gives it to the model. */
  async giveFirst() {
    getSelection().selectAllChildren(document.querySelector('.row p'))
    await frame()
    await frame()
    byId('tell').click()
    while (!byId('status').textContent.startsWith('Given')) await frame()
  },
  /** The row that is marked, once it is in view, and the time of the player. */
  async opened() {
    const scroller = byId('scroller').getBoundingClientRect()
    const isInView = ({ top, bottom }) => top >= scroller.top - 1 && bottom <= scroller.bottom + 1
    const here = () => document.querySelector('.row.here')
    while (!here() || !isInView(here().getBoundingClientRect())) await frame()
    return {
      time: here().querySelector('.time').textContent,
      now: byId('now').textContent,
      sounds: sounds.map(({ paused }) => paused),
    }
  },
  /** Chooses the row that is marked, and copies its link or its quote. */
  async copy(button) {
    getSelection().selectAllChildren(document.querySelector('.row.here p'))
    await frame()
    await frame()
    byId(button).click()
    while (!/^(?:Copied|Press)/.test(byId('status').textContent)) await frame()
    return { said: byId('status').textContent, text: await navigator.clipboard.readText() }
  },
  /** Asks for sound until something is said to the reader. */
  async refused() {
    const position = byId('position')
    position.value = '2000'
    position.dispatchEvent(new Event('input'))
    byId('play').click()
    const isAdvice = text => text !== '' && !text.startsWith('Fetching')
    while (!isAdvice(byId('status').textContent)) await frame()
    return byId('status').textContent
  },
  /** Plays the sound that the browser shows by itself; the seconds it has played. */
  async playShown() {
    const shown = document.querySelector('video, audio')
    await shown.play()
    while (shown.currentTime < 0.4) await frame()
    return shown.currentTime
  },
  /** The picture of the sound once its peaks are there: for each column, its height in pixels and its colour. */
  async wave() {
    const canvas = byId('wave')
    for (;;) {
      await frame()
      const { width, height } = canvas
      const { data } = canvas.getContext('2d').getImageData(0, 0, width, height)
      const columns = Array.from({ length: width }, (_, x) => {
        const ys = Array.from({ length: height }, (_, y) => y).filter(y => data[4 * (y * width + x) + 3] > 60)
        const middle = 4 * ((height >> 1) * width + x)
        return { tall: ys.length, colour: data.slice(middle, middle + 3).join() }
      })
      // Without peaks, all turns have one height.
      if (new Set(columns.map(({ tall }) => tall)).size > 8)
        return {
          width,
          tallest: Math.max(...columns.map(({ tall }) => tall)),
          heights: new Set(columns.map(({ tall }) => tall)).size,
          colours: new Set(columns.map(({ colour }) => colour)).size,
        }
    }
  },
  /** The box of an element, and what is at its middle. */
  box(selector) {
    const { left, top, width, height } = document.querySelector(selector).getBoundingClientRect()
    return { left, top, width, height }
  },
  position: () => [byId('position').value, byId('position').getAttribute('aria-valuetext')],
  /** The first row in view: its time, and its distance from the top. */
  place() {
    const top = byId('scroller').getBoundingClientRect().top
    const rows = [...document.querySelectorAll('.row')].map(row => [row, row.getBoundingClientRect()])
    const [row, box] = rows.filter(([, { bottom }]) => bottom > top).sort(([, a], [, b]) => a.top - b.top)[0]
    return `${row.querySelector('.time').textContent} ${Math.round(box.top - top)}`
  },
  async scrollTo(share) {
    const scroller = byId('scroller')
    scroller.scrollTop = (scroller.scrollHeight - scroller.clientHeight) * share
    for (let i = 0; i < 4; i++) await frame()
    return test.place()
  },
  async seek(seconds) {
    const position = byId('position')
    position.value = String(seconds)
    position.dispatchEvent(new Event('input'))
    await frame()
  },
  /** Chooses the row of this time, and gives it the focus. */
  chooseAt(time) {
    const row = [...document.querySelectorAll('.row')].find(
      one => one.querySelector('.time').textContent === time,
    )
    getSelection().selectAllChildren(row.querySelector('p'))
    row.querySelector('.time').focus()
    return test.chosen()
  },
  chosen: () => `${document.activeElement.textContent.slice(0, 20)} ${getSelection()}`,
  /** A key that belongs to an input method. */
  compose(key) {
    const given = { key, isComposing: true, bubbles: true, cancelable: true }
    document.activeElement.dispatchEvent(new KeyboardEvent('keydown', given))
  },
  /** Parts of the page that are wider than their room. */
  tooWide: () =>
    ['html', 'header', '#scroller', '.row p', '.row .who'].filter(selector => {
      const { scrollWidth, clientWidth } = document.querySelector(selector)
      return clientWidth > 0 && scrollWidth > clientWidth
    }),
  async until(isSo) {
    while (!isSo()) await frame()
    return byId('status')?.textContent
  },
  /** Clicks the button with this text. */
  press(within, text) {
    const buttons = [...document.querySelectorAll(`${within} button`)]
    buttons.find(({ textContent }) => textContent === text).click()
  },
  /** Sends a name of the speaker with this index. */
  name(index, name) {
    document.querySelectorAll('#speakers li')[index].querySelector('button').click()
    const field = document.querySelector('.rename input')
    field.value = name
    field.nextSibling.click()
  },
  /** As if the page came into view again: it looks for changes. */
  look: () => void document.dispatchEvent(new Event('visibilitychange')),
  names: () => [...document.querySelectorAll('#speakers bdi')].map(({ textContent }) => textContent),
  namesInRows: () => [
    ...new Set([...document.querySelectorAll('.row bdi')].map(({ textContent }) => textContent)),
  ],
  /** Opens all that can be opened. */
  open() {
    for (const details of document.querySelectorAll('details')) details.open = true
    document.querySelector('#speakers button')?.click()
  },
  close() {
    for (const details of document.querySelectorAll('details')) details.open = false
    document.querySelector('.rename button:last-child')?.click()
  },
  async axe() {
    await frame()
    await frame()
    const { violations } = await axe.run()
    return violations.map(
      ({ id, nodes }) =>
        `${id}: ${nodes
          .map(({ html }) => html.slice(0, 150))
          .slice(0, 2)
          .join(' ')}`,
    )
  },
  isUntouched: () =>
    globalThis.pwned === undefined &&
    document.querySelectorAll('script').length === 1 &&
    document.querySelectorAll(
      'img, iframe, svg, object, base, link:not([rel=icon]), math, form:not(#search), a[href^="java"]',
    ).length === 0 &&
    document.querySelectorAll('style').length === 1,
}
