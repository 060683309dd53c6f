// A process that opens its store in advance, closes it at once and has nothing else to do. Argument: FOLDER.
import { sqliteStore } from '../../../src/drivers/store/sqlite/sqlite.ts'

const store = sqliteStore({ folder: process.argv[2]! })
store.warmUp!()
await store.close()
process.stdout.write('closed\n')
