// Entry of the bundle: takes the allowed folders as arguments, since a client fills a list into arguments alone.
import { delimiter } from 'node:path'

// A list that the user left empty stays a template.
const folders = process.argv.splice(2).filter(folder => !folder.startsWith('$'))
process.env.SPEECH_ALLOWED_DIRS = folders.join(delimiter)
await import('./dist/main.js')
