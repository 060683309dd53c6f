// A process that stores a transcript, deletes it, closes its store and has nothing else to do. Argument: FOLDER.
import { sqliteStore } from '../../../src/drivers/store/sqlite/sqlite.ts'
import { segment, transcript } from '../transcripts.ts'

const store = sqliteStore({ folder: process.argv[2]! })
const stored = transcript({ id: 'tr_closing', segments: [segment('words', 0, 1)] })
await store.putTranscript('local', stored)
await store.deleteTranscript('local', stored.id)
await store.close()
process.stdout.write('closed\n')
