// Writes Matroska files whose packets have any times, as recorders and calls leave them.

export const rate = 16_000

export interface TimedSound {
  /** Seconds. */
  time: number
  /** 16-bit, 16 kHz mono. */
  samples: Int16Array
}

export const unknownSize = Buffer.from('01ffffffffffffff', 'hex')
const packetSamples = 0.02 * rate

/**
 * A live recording, of unknown size; or with `seconds`, the length in its header, a finished one. `timeScale`: stretches the times of the packets,
 * as a clock does that is slower than its samples.
 */
export function timedMatroska(
  sounds: readonly TimedSound[],
  { seconds, timeScale = 1 }: { seconds?: number; timeScale?: number } = {},
): Buffer {
  const duration = seconds === undefined ? [] : [element('4489', float(seconds * 1000))]
  const track = Buffer.concat([
    ...[element('d7', [1]), element('73c5', [1]), element('83', [2])],
    element('86', Buffer.from('A_PCM/INT/LIT')),
    element('e1', Buffer.concat([element('b5', float(rate)), element('9f', [1]), element('6264', [16])])),
  ])
  const content = Buffer.concat([
    element('1549a966', Buffer.concat([element('2ad7b1', [0x0f, 0x42, 0x40]), ...duration])),
    element('1654ae6b', element('ae', track)),
    ...sounds.flatMap(({ time, samples }) => [...packets(time, samples, timeScale)]),
  ])
  const head = element('1a45dfa3', element('4282', Buffer.from('matroska')))
  const segment = '18538067'
  if (seconds !== undefined) return Buffer.concat([head, element(segment, content)])
  return Buffer.concat([head, Buffer.from(segment, 'hex'), unknownSize, content])
}

function* packets(start: number, samples: Int16Array, timeScale: number): Generator<Buffer> {
  for (let at = 0; at < samples.length; at += packetSamples) {
    const time = Buffer.alloc(8)
    time.writeBigUInt64BE(BigInt(Math.round((start + (at / rate) * timeScale) * 1000)))
    const part = samples.subarray(at, at + packetSamples)
    const block = [
      Buffer.from([0x81, 0, 0, 0x80]),
      Buffer.from(part.buffer, part.byteOffset, part.byteLength),
    ]
    yield element('1f43b675', Buffer.concat([element('e7', time), element('a3', Buffer.concat(block))]))
  }
}

export function element(id: string, content: Buffer | number[]): Buffer {
  const size = Buffer.alloc(8)
  size.writeBigUInt64BE(BigInt(content.length))
  size[0] = 1
  return Buffer.concat([Buffer.from(id, 'hex'), size, Buffer.from(content)])
}

export function float(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleBE(value)
  return bytes
}
