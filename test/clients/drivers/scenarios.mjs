// The scenarios of every client of the matrix. A driver gives a client of its kind; the runner reads the lines that come out.
import { setTimeout as pause } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * @typedef {{ isError: boolean, text: string }} Answer
 * @typedef {{
 *   tools(): Promise<string[]>,
 *   call(name: string, args: object, options?: { signal?: AbortSignal, onProgress?: () => void }): Promise<Answer>,
 *   resources?(): Promise<string[]>,
 *   read?(uri: string): Promise<string>,
 *   close(): Promise<void>,
 * }} Client
 * @typedef {{ kind: 'stdio', command: string, args: string[], env: Record<string, string> }
 *   | { kind: 'http', url: string }} Target
 */

const { target, control, fixtures, calls } = JSON.parse(process.argv[2])
const recording = `${fixtures}/jfk.wav`
const longRecording = `${fixtures}/meeting.m4a`
const spoken = 'ask not what your country can do for you'
setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc')
/** A call that takes longer hangs. */
const maxCallMs = 120_000

/**
 * @param {(target: Target, onProblem: (error: unknown) => void) => Promise<Client>} connect `onProblem` takes errors
 *   that the client reports beside its answers
 * @param {{ progress?: boolean | 'unseen', cancel?: boolean | string, relist?: boolean, concurrent?: number }} features
 *   those that the client offers a program; `unseen` where its user alone sees progress; `unsent` where the server is told
 *   nothing, another text for the table where it is with some setting; `relist: false` for one that lists resources only when it connects
 */
export async function runScenarios(connect, features = {}) {
  const {
    progress = true,
    cancel = true,
    relist = true,
    concurrent = 4,
  } = typeof features === 'function' ? features(target) : features
  let problems = []
  const open = () => {
    const own = []
    problems = own
    return inTime(
      connect(target, error => own.push(String(error?.message ?? error))),
      'connect',
    )
  }
  let client = await open()
  const scenarios = {
    async list() {
      const names = await client.tools()
      need(names.includes('transcribe_audio') && names.includes('get_transcript'), names.join(', '))
    },
    async call() {
      need(spokenIn(await client.call('transcribe_audio', { audio: recording })))
    },
    async progress() {
      let count = 0
      const options = progress === true ? { onProgress: () => count++ } : {}
      const answer = await client.call('transcribe_audio', { audio: longRecording, context: 'slow' }, options)
      need(!answer.isError && /launch/i.test(answer.text), answer.text.slice(0, 200))
      if (progress === 'unseen') return 'yes, progress not visible'
      if (!progress) return 'yes, without progress'
      need(count >= 2, `${count} notifications of progress`)
    },
    async cancel() {
      if (!cancel) return 'no'
      const stop = new AbortController()
      const options = { signal: stop.signal }
      const call = client.call('transcribe_audio', { audio: longRecording, context: 'hang' }, options)
      let end
      const ended = call.then(
        answer => {
          end = answer.text
          return answer.isError
        },
        error => {
          end = String(error)
          return true
        },
      )
      await until(async () => end || (await state()).inFlight > 0, 'no request of the call at the provider')
      need(end === undefined, `ended at once: ${end}`)
      // Else it depends on the time that the call took whether a client still holds what its abort needs.
      collectGarbage()
      stop.abort('The user has stopped it.')
      need(await inTime(ended, 'an aborted call'), 'the aborted call succeeded')
      if (cancel === 'unsent') return 'the call ends, the job goes on'
      await until(async () => (await state()).inFlight === 0, 'the work goes on after the call was aborted')
      await client.tools()
      return typeof cancel === 'string' ? cancel : 'yes'
    },
    async errors() {
      const missing = await client.call('transcribe_audio', { audio: `${fixtures}/missing.wav` })
      need(missing.isError && /FILE_NOT_FOUND/.test(missing.text), `missing file: ${missing.text}`)
      const wrong = await failure(() => client.call('transcribe_audio', { audio: { no: 'text' } }))
      const unknown = await failure(() => client.call('no_such_tool', {}))
      for (const said of [wrong, unknown]) need(!said.startsWith('succeeded'), said)
      await client.tools()
    },
    async resources() {
      if (!client.resources) return 'no'
      if (!relist) {
        await client.close()
        client = await open()
      }
      const uris = await client.resources()
      need(uris.length > 0, 'no resources')
      const texts = await Promise.all(uris.map(uri => client.read(uri)))
      need(
        texts.some(text => text.includes(spoken)),
        texts.join('\n').slice(0, 200),
      )
      return relist ? 'yes' : 'those at its start'
    },
    async restart() {
      const { requests } = await state()
      await fetch(`${control}/restart`, { method: 'POST' })
      const lost = await inTime(outcome(client.tools()), 'a call to a server that has died')
      if (lost === 'refused') {
        await client.close().catch(() => {})
        client = await open()
      }
      need(spokenIn(await client.call('transcribe_audio', { audio: recording })))
      need((await state()).requests === requests, 'the recording was sent to the provider again')
      return lost === 'answered' ? 'by itself' : 'by a new connection'
    },
    async many() {
      const failed = []
      let left = calls
      const worker = async () => {
        while (left-- > 0) {
          const isSpoken = left % 2 === 1
          const [name, args] = isSpoken ? ['transcribe_audio', { audio: recording }] : ['find_recordings', {}]
          const answer = await client
            .call(name, args, progress === true ? { onProgress() {} } : {})
            .catch(error => ({
              isError: true,
              text: `${error?.message ?? error}`,
            }))
          const isWrong = answer.isError || (isSpoken && !answer.text.includes(spoken))
          if (isWrong) failed.push(answer.text.slice(0, 500))
        }
      }
      await Promise.all(Array.from({ length: concurrent }, worker))
      need(failed.length === 0, `${failed.length} of ${calls} calls failed: ${failed[0]}`)
      return calls < 200 ? `${calls} calls` : 'yes'
    },
  }
  for (const [name, scenario] of Object.entries(scenarios)) {
    const result = await inTime(scenario(), name, name === 'many' ? 20 * maxCallMs : maxCallMs).then(
      detail => ({ ok: true, detail: detail ?? 'yes' }),
      error => ({ ok: false, detail: String(error?.stack ?? error).slice(0, 600) }),
    )
    const said = problems.splice(0)
    if (said.length > 0) {
      const different = [...new Set(said)].slice(0, 3)
      Object.assign(result, {
        ok: false,
        detail: `${result.detail} ${said.length} errors beside: ${different}`,
      })
    }
    process.stdout.write(`${JSON.stringify({ scenario: name, ...result })}\n`)
  }
  await inTime(client.close(), 'close').catch(() => {})
  process.exit(0)
}

const spokenIn = ({ isError, text }) => {
  if (isError || !text.includes(spoken)) throw new Error(`not the spoken text: ${text.slice(0, 200)}`)
  return true
}

async function state() {
  return (await fetch(`${control}/state`)).json()
}

async function failure(call) {
  try {
    const { isError, text } = await call()
    return isError ? text : `succeeded: ${text}`
  } catch (error) {
    return String(error?.message ?? error)
  }
}

const outcome = promise =>
  promise.then(
    () => 'answered',
    () => 'refused',
  )

function need(condition, message = 'not as expected') {
  if (!condition) throw new Error(message)
}

async function until(condition, message) {
  const end = performance.now() + maxCallMs / 2
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(message)
    await pause(50)
  }
}

function inTime(promise, what, ms = maxCallMs) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing within ${ms / 1000} s`)), ms)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

/**
 * The report of the SDK’s clients about progress that they read together with the result of its call, on a busy machine:
 * findings/mcp-client-progress-read-with-result.sh. The witness judges the order in which the server has sent both.
 */
export const isReadTogether = error =>
  /progress notification for an unknown token/.test(String(error?.message))

/** Text of a result's content. */
export function answerOf({ content = [], isError = false }) {
  return { isError, text: content.map(block => block.text ?? '').join('\n') }
}
