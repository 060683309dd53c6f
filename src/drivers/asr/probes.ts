// Probes of the speech models: the cheapest request that shows whether a model exists.
import { type Model, modelKey, type UnavailableModels } from '../../domain/models/model.ts'
import type { ModelProbe } from '../../domain/models/probe.ts'
import type { FileRequest, RecognitionRequest } from '../../domain/ports.ts'
import type { Dashscope } from '../http/dashscope.ts'
import type { HttpClient } from '../http/http.ts'
import { probe } from '../models/probe.ts'
import { chunkAsr } from './chunk-asr.ts'
import { fileAsr } from './file-asr/file-asr.ts'
import { capabilitiesOf, type FileRole } from './file-asr/requests.ts'

export interface SpeechProbesOptions {
  cloud: Dashscope
  http: Pick<HttpClient, 'fetchText'>
  unavailableModels: UnavailableModels
  chunkModels: Model[]
  speakerModels: Model[]
  fileModels: Model[]
}

/** An own server takes any name. */
const unasked: ModelProbe['ask'] = async () => ({ state: 'not asked', detail: 'see your own engine' })

const unfit: ModelProbe['ask'] = async () => ({ state: 'unfit' })

function isFit(model: Model, role: 'chunk' | FileRole): boolean {
  if (model.unfit || role === 'chunk') return !model.unfit
  return capabilitiesOf(model, role)[role === 'words' ? 'text' : 'speakers']
}

/** No host has this name, so the task fails and is not billed. */
const unreachableFile: FileRequest = { url: 'https://speech-mcp.invalid/doctor.mp3' }

/** A second of silence, the shortest audio that is accepted: $0.000035. */
function smallestChunk(): RecognitionRequest {
  const sampleRate = 16_000
  const audio = Buffer.alloc(44 + 2 * sampleRate)
  audio.write('RIFF____WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3e\0\0\0\x7d\0\0\x02\0\x10\0data', 'latin1')
  audio.writeUInt32LE(audio.length - 8, 4)
  audio.writeUInt32LE(2 * sampleRate, 40)
  return { audio, mime: 'audio/wav', seconds: 1 }
}

/** Each model once, also where it has two roles; once more for a role that it is not for. */
export function speechProbes({
  cloud,
  http,
  unavailableModels,
  ...models
}: SpeechProbesOptions): ModelProbe[] {
  const found = new Map<string, ModelProbe>()

  function add(
    model: Model,
    role: 'chunk' | FileRole,
    request: (signal: AbortSignal) => Promise<unknown>,
  ): void {
    const fits = isFit(model, role)
    const row = `${model.name} ${fits ? role === 'chunk' : role}`
    const known = found.get(row)
    if (known) return void known.roles.push(role)
    const key = modelKey(model.name, cloud.baseUrl)
    const ask: ModelProbe['ask'] = signal => probe(key, () => request(signal), unavailableModels)
    found.set(row, { model, roles: [role], ask: !fits ? unfit : cloud.own ? unasked : ask })
  }

  // One's own engines are sent speech instead.
  for (const model of cloud.own ? [] : models.chunkModels)
    add(model, 'chunk', signal =>
      chunkAsr(cloud, { model, concurrency: 1 }).recognise(smallestChunk(), signal),
    )
  for (const [role, list] of [
    ['speakers', models.speakerModels] as const,
    ['words', models.fileModels] as const,
  ])
    for (const model of list)
      add(model, role, signal => fileAsr({ cloud, http, model, role }).submit(unreachableFile, signal))
  return [...found.values()]
}
