// Judges what the witness of stdio has written: one file is the conversation with one process.
import { readFileSync } from 'node:fs'
import { createConversation, type Findings, type Side } from './conversation.ts'

export interface LogOptions {
  /** Process ids of the servers that the run has killed while their clients went on. */
  killed: ReadonlySet<string>
  /** Methods by which the client tries whether a server has them. */
  probes?: readonly string[]
}

export function judgeLog(file: string, findings: Findings, { killed, probes = [] }: LogOptions): void {
  const conversation = createConversation(findings, probes)
  for (const line of readFileSync(file, 'utf8').split('\n').filter(Boolean)) {
    const [by, text] = JSON.parse(line) as [Side | 'end', string]
    if (by !== 'end') conversation.hear(by, text)
    else if (killed.has(text)) conversation.cutOff()
  }
  conversation.end()
}
