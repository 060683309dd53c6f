// Loaded before the server: notes its process id, so that the runner can let it die whoever has started it.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

writeFileSync(join(process.env.NOTE_PROCESS_IN, String(process.pid)), '')
