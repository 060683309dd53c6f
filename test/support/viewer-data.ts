// Data of the viewer's page for tests.
import type { ViewerData } from '../../src/viewer/page/contract.ts'

export function viewerDataOf(more: Partial<ViewerData>): ViewerData {
  return {
    ...{ id: 'tr_1', revision: 'r1', title: '', status: 'completed', duration: 30, createdAt: '' },
    ...{ speakers: [{ id: 'S1', label: 'Alice', share: 1 }], rows: [], warnings: [], formats: [] },
    ...more,
  }
}
