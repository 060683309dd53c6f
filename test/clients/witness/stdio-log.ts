// Judges what the witness of stdio has written: one file is the conversation with one process.
import { readFileSync } from 'node:fs'
import { createConversation, type Findings, type Side } from './conversation.ts'

/** `killed`: process ids of the servers that the run has killed while their clients went on. */
export function judgeLog(file: string, findings: Findings, killed: ReadonlySet<string>): void {
  const conversation = createConversation(findings)
  for (const line of readFileSync(file, 'utf8').split('\n').filter(Boolean)) {
    const [by, text] = JSON.parse(line) as [Side | 'end', string]
    if (by !== 'end') conversation.hear(by, text)
    else if (killed.has(text)) conversation.cutOff()
  }
  conversation.end()
}
