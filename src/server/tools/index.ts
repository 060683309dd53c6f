// The tools, in the order clients see them.
import type { Tool } from '../tool.ts'
import { getTranscript } from './get-transcript.ts'
import { transcribeAudio } from './transcribe-audio.ts'

export const tools: readonly Tool[] = [transcribeAudio, getTranscript]
