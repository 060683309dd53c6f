// Serves the emulated cloud of compose.yaml at fixed ports until a signal. Its settings go to stdout.
import { cloudSettings } from '../demo/machines.ts'
import { startCloud } from '../emulators/cloud.ts'

const cloud = await startCloud({
  ffmpeg: process.env.FFMPEG_PATH ?? 'ffmpeg',
  port: 8090,
  oss: { port: 8091 },
  tablestore: { port: 8092 },
  mns: { port: 8093 },
})
for (const [name, value] of Object.entries(cloudSettings(cloud))) process.stdout.write(`${name}=${value}\n`)
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void cloud.close().then(() => process.exit(0)))
