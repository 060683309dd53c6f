// The list of tools, in the order in which clients see them.
import type { Tool } from '../tool.ts'
import { cancelTranscription } from './cancel-transcription.ts'
import { deleteTranscript } from './delete-transcript.ts'
import { diarizeAudio } from './diarize-audio.ts'
import { exportTranscript } from './export-transcript.ts'
import { findRecordings } from './find-recordings.ts'
import { formatText } from './format-text.ts'
import { getClip } from './get-clip.ts'
import { getTranscript } from './get-transcript.ts'
import { requestUpload } from './request-upload.ts'
import { searchTranscripts } from './search-transcripts.ts'
import { showTranscript } from './show-transcript.ts'
import { transcribeAudio } from './transcribe-audio.ts'
import { updateTranscript } from './update-transcript.ts'

export const tools: readonly Tool[] = [
  transcribeAudio,
  diarizeAudio,
  formatText,
  getTranscript,
  getClip,
  showTranscript,
  exportTranscript,
  searchTranscripts,
  findRecordings,
  requestUpload,
  updateTranscript,
  cancelTranscription,
  deleteTranscript,
]
