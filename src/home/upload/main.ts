// The page at a ticket's address: sends the chosen file, and shows how far it is.
import { byId } from '../../viewer/page/elements.ts'
import { sendFile } from '../tus.ts'

const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1)

function watch(picker: HTMLInputElement): void {
  const [bar, state] = [byId('bar', 'progress'), byId('state', 'output')]
  picker.addEventListener('change', async () => {
    const file = picker.files?.[0]
    if (!file) return
    picker.disabled = true
    bar.hidden = false
    bar.max = file.size
    const onProgress = (done: number) => {
      bar.value = done
      state.textContent = `${megabytes(done)} of ${megabytes(file.size)} MB`
    }
    const onBroken = () => {
      state.textContent = 'The connection is broken. Trying again…'
    }
    try {
      const address = location.pathname.replace(/\/$/, '')
      const found = await sendFile({ address, file, onProgress, onBroken })
      state.textContent = `The recording has arrived. Tell the agent: ${found}`
    } catch (error) {
      state.textContent = (error as Error).message
      picker.disabled = false
    }
  })
}

// Absent once the recording has arrived.
const picker = document.getElementById('file')
if (picker) watch(picker as HTMLInputElement)
