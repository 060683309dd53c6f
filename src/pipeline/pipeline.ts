// What a story is: an order told from its source to what was found.
import type { PipelineRequest } from '../domain/job.ts'
import type { Run } from '../domain/run.ts'
import type { Findings, PipelinePorts } from './transcribe.ts'

/** `hash` is what the recording's bytes must be, where that is known; `onFound` may ask for what there is so far. */
export type Pipeline = (
  order: PipelineRequest,
  ports: PipelinePorts,
  run: Run,
  onFound: (findings: () => Findings) => void,
) => Promise<Findings>
