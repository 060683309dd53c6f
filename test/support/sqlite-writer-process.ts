// A process of its own that writes transcripts: FOLDER NAME, then the sizes of their texts. Waits for a line on stdin
// once it is ready, and prints what came of each write, and of reading the first one back.
import { once } from 'node:events'
import { isSpeechError } from '../../src/domain/errors.ts'
import { sqliteStore } from '../../src/drivers/store/sqlite/sqlite.ts'
import { segment, transcript } from './transcripts.ts'

const me = 'local'
const [folder, name, ...sizes] = process.argv.slice(2)
const store = sqliteStore({ folder: folder! })

async function outcome(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return 'ok'
  } catch (error) {
    return isSpeechError(error) ? error.code : String(error)
  }
}

process.stdout.write('ready\n')
await once(process.stdin, 'data')
const writes: string[] = []
for (const [i, size] of sizes.entries()) {
  const text = 'x'.repeat(Number(size))
  writes.push(
    await outcome(
      store.putTranscript(me, transcript({ id: `${name}${i}`, segments: [segment(text, 0, 1)] })),
    ),
  )
}
const read = await outcome(store.getTranscript(me, `${name}0`))
process.stdout.write(`${JSON.stringify({ writes, read })}\n`)
process.exit()
