// Clips and pictures of recordings, loaded when the first one is asked for.
import type { JobBasis } from './context.ts'

export async function loadSounds(
  base: Pick<JobBasis, 'pipeline' | 'store' | 'scratchDir' | 'workerId' | 'closing'>,
) {
  const [{ createRecordings }, { createClips }, { createWaveforms }] = await Promise.all([
    import('./recording.ts'),
    import('./clip.ts'),
    import('./waveform.ts'),
  ])
  const recordings = createRecordings(base)
  return {
    clip: createClips(recordings, base.closing),
    waveform: createWaveforms(recordings, base.closing),
  }
}
