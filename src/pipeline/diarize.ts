// The story of one recording with speakers: upload, both passes, align.
import type { Story } from './stories.ts'

export const diarize: Story = () => {
  throw new Error('not written yet')
}
