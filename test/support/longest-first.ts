// Order of the test files: those that take longest start first, so that no worker goes on alone at the end.
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Vitest knows how long a file takes only after its first run, and goes by its size until then. */
const longest =
  /e2e\/(?:chaos|kill|cli\/commands|demo|protocol|stdio\/(?:long-recording|provider-failures|jobs)|costs|diarize|engine)/

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const isLong = ({ moduleId }: TestSpecification) => longest.test(moduleId)
    return [...sorted.filter(isLong), ...sorted.filter(file => !isLong(file))]
  }
}
