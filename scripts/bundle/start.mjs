// Entry of the bundle: takes the allowed folders as arguments, since a client fills a list into arguments alone.
import { delimiter } from 'node:path'

// A list that the user left empty stays a template.
const folders = process.argv.splice(2).filter(folder => folder.trim() !== '' && !folder.includes('${'))
if (folders.length > 0) {
  process.env.SPEECH_ALLOWED_DIRS = folders.join(delimiter)
  await import('./dist/main.js')
} else {
  // An empty setting counts as unset, which would open the whole home folder.
  process.stderr.write(
    'No folder with recordings is allowed: choose one in the settings of this extension.\n',
  )
  process.exitCode = 2
}
