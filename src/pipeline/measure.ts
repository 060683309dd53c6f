// The story of one recording with measured times: upload, one pass.
import type { Story } from './stories.ts'

export const measure: Story = () => {
  throw new Error('not written yet')
}
