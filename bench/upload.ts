// Measures how long an upload lasts after its encoder, with an emulated bucket behind 200 Mbit/s.
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { startOss } from '../emulators/oss/oss.ts'
import type { Run } from '../src/domain/run.ts'
import { ossStorage } from '../src/drivers/object-storage/oss/oss.ts'
import { decode } from '../src/pipeline/audio/decode.ts'
import { encodeWhole } from '../src/pipeline/file-tasks/encode-whole.ts'
import { testBudget } from '../test/support/pipeline/budget.ts'

const mbitPerSecond = 200

/** Seconds from the start to the end of the encoder, and to the end of the upload. */
export async function uploadOnce(file: string, path: string): Promise<{ encoded: number; uploaded: number }> {
  const oss = await startOss({ mbitPerSecond })
  const { endpoint, region, bucket, accessKeyId, accessKeySecret } = oss
  const storage = ossStorage({ endpoint, region, bucket, accessKeyId, accessKeySecret })
  const { signal } = new AbortController()
  const run: Run = {
    job: 'tr_bench',
    owner: 'local',
    signal,
    continuesElsewhere: () => false,
    gotOn() {},
    answered() {},
    scratch: () => Promise.reject(new Error('Nothing is written here.')),
    progress() {},
    warn() {},
    checkpoints: { get: async () => undefined, put: async () => {}, isFromThisJob: () => false },
    budget: testBudget(),
  }
  const { size: bytes } = await stat(file)
  const source = { file, name: basename(file), bytes, isTruncated: false }
  const ffmpeg = async () => ({ path })
  const started = performance.now()
  const since = () => (performance.now() - started) / 1000
  let encoded = 0
  async function* timedAudio(): AsyncGenerator<Buffer> {
    yield* encodeWhole(decode(source, ffmpeg, run), { ffmpeg, async onSamples() {} }, run).audio
    encoded = since()
  }
  try {
    await storage.upload(
      timedAudio(),
      { owner: run.owner, job: run.job, models: ['any'], scratch: run.scratch },
      signal,
    )
    return { encoded, uploaded: since() }
  } finally {
    await storage.close()
    await oss.close()
  }
}
