// WAV files of mono samples at 16 kHz.

import { rate } from './synthetic-speech.ts'

/** `samples`: 16 bits each, little-endian. */
export function wavOf(samples: Buffer): Buffer {
  const head = Buffer.alloc(44)
  head.write('RIFF____WAVEfmt \x10\0\0\0\x01\0\x01\0____', 'latin1')
  head.writeUInt32LE(samples.length + 36, 4)
  head.writeUInt32LE(rate, 24)
  head.writeUInt32LE(2 * rate, 28)
  head.write('\x02\0\x10\0data', 32, 'latin1')
  head.writeUInt32LE(samples.length, 40)
  return Buffer.concat([head, samples])
}
