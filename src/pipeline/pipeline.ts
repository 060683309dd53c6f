// The type that every pipeline implements: a request in, the content of a transcript out.
import type { PipelineRequest } from '../domain/job.ts'
import type { Run } from '../domain/run.ts'
import type { Findings, PipelinePorts } from './transcribe.ts'

/** `onFound` receives a function that builds the findings so far; it is called after each finished part. */
export type Pipeline = (
  request: PipelineRequest,
  ports: PipelinePorts,
  run: Run,
  onFound: (findings: () => Findings) => void,
) => Promise<Findings>
