// Contract of the pipelines: a request in, the content of a transcript out; and what they depend on.
import type { PipelineRequest } from '../domain/job.ts'
import type { FileRecogniserList } from '../domain/models/file-recogniser-list.ts'
import type { ObjectStorage } from '../domain/ports.ts'
import type { Run } from '../domain/run.ts'
import type { Transcript } from '../domain/transcript.ts'
import type { FairLimit } from '../domain/waiting/fair-limit.ts'
import type { ChunkPorts } from './chunks/transcribe-chunks.ts'
import type { FormatPorts } from './formatting/options.ts'
import type { SourcePorts } from './source/source.ts'

/** `onFound` receives a function that builds the findings so far; it is called after each finished part. */
export type Pipeline = (
  request: PipelineRequest,
  ports: PipelinePorts,
  run: Run,
  onFound: (findings: () => Findings | Promise<Findings>) => void,
) => Promise<Findings>

export interface PipelinePorts extends SourcePorts, ChunkPorts, FormatPorts {
  /** They recognise who speaks when in an uploaded recording. */
  speakerRecognisers: FileRecogniserList
  /** They recognise what is said when in an uploaded recording. */
  fileRecognisers: FileRecogniserList
  /** False without a key for them. Default: true. */
  hasFileModels?: boolean
  objectStorage: ObjectStorage
  /** Seconds between two polls of a task. */
  pollSeconds: number
  /** Mutex shared by all jobs of the process: a job that submits sees the tasks submitted before. */
  limitSubmits: FairLimit
  /** Seconds that a task may take for a recording of `duration` seconds. */
  taskTimeoutSeconds(duration: number): number
}

/** Content of a transcript, without the parts that the job adds: id, creation time and the warnings of the run. */
export type Findings = Omit<Transcript, 'id' | 'createdAt' | 'warnings'>
