// A server in this process that serves pages at addresses that end, with fake jobs.
import type { Jobs } from '../../../src/jobs/jobs.ts'
import type { HttpOptions } from '../../../src/server/http/http.ts'
import { serveHttp } from '../../../src/server/http/http.ts'
import { pageAddress } from '../../../src/server/http/pages/address.ts'
import { createSeals, type Seals } from '../../../src/server/http/pages/seals.ts'
import { closedAfterEach } from '../closed-after-each.ts'
import { type FakeJobs, fakeJobs } from '../jobs/fake-jobs.ts'

export interface PageServer {
  /** `http://127.0.0.1:PORT` */
  origin: string
  /** Of the MCP endpoint. */
  url: string
  jobs: FakeJobs
  seals: Seals
  /** Address of the page of an owner's transcript, as of `now`. */
  address(owner?: string, id?: string, now?: number): Promise<string>
  /** `work` goes on while the server stops. */
  close(work?: () => Promise<void>): Promise<void>
}

export interface PageServerOptions extends Partial<HttpOptions> {
  /** Default: 32 bytes that are always the same. */
  key?: () => Promise<Uint8Array>
  changes?: Partial<Jobs>
}

export const pageServersOfEachTest = () =>
  closedAfterEach(async (options: PageServerOptions = {}): Promise<PageServer> => {
    const { key = async () => Buffer.alloc(32, 7), changes = {}, ...http } = options
    const jobs = { ...fakeJobs(), ...changes }
    const seals = createSeals(key)
    const serving = await serveHttp(
      { jobs, seals, version: '0', waitSeconds: 45 },
      { host: '127.0.0.1', port: 0, tokens: [], ...http },
    )
    const { origin } = new URL(serving.url)
    return {
      ...{ origin, url: serving.url, jobs, seals },
      async address(owner = 'local', id = `tr_${owner}`, now = Date.now()) {
        return (await pageAddress(seals, origin, { owner, id }, now)).url
      },
      close: (work = async () => jobs.release()) => serving.close(work),
    }
  })
