// A process that stores transcripts. Arguments: FOLDER NAME, then the size of each text. Waits for a line on stdin when it
// is ready, and prints the outcome of each write and of reading the first transcript back.
import { once } from 'node:events'
import { isSpeechError } from '../../src/domain/errors.ts'
import { sqliteStore } from '../../src/drivers/store/sqlite/sqlite.ts'
import { segment, transcript } from './transcripts.ts'

const owner = 'local'
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
      store.putTranscript(owner, transcript({ id: `${name}${i}`, segments: [segment(text, 0, 1)] })),
    ),
  )
}
const read = await outcome(store.getTranscript(owner, `${name}0`))
process.stdout.write(`${JSON.stringify({ writes, read })}\n`)
process.exit()
