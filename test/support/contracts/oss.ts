// OSS emulator, options and faults for tests of object storage.
import OSS from 'ali-oss'
import { afterEach, beforeEach, expect, vi } from 'vitest'
import type { OssEmulator, OssRequest } from '../../../emulators/oss/oss.ts'
import type { Dashscope } from '../../../src/drivers/http/dashscope.ts'
import { fixedInstallationId } from '../../../src/drivers/object-storage/installation-id.ts'
import { uploadKey } from '../../../src/drivers/object-storage/keys.ts'
import type { OssOptions } from '../../../src/drivers/object-storage/oss/oss.ts'
import { setLogLevel } from '../../../src/log.ts'
import { type TempFolder, tempFolder } from '../e2e/system.ts'

export const firstDelaySeconds = 0.01
export const installation = 'here'
/** The response to a request without permission. */
export const refusal = { status: 403, code: 'AccessDenied' }

/** Call at the top of a test file: closes what a test has tracked, and gives each test a folder. */
export function useResources() {
  let opened: { close(): Promise<void> }[] = []
  let temp: TempFolder

  beforeEach(async () => {
    setLogLevel('silent')
    temp = await tempFolder()
  })
  afterEach(async () => {
    for (const one of opened.reverse()) await one.close()
    opened = []
    vi.unstubAllEnvs()
    vi.restoreAllMocks()
    setLogLevel('warn')
    await temp.remove()
  })

  return {
    folder: () => temp.path,
    track<T extends { close(): Promise<void> }>(one: T): T {
      opened.push(one)
      return one
    },
  }
}

export function optionsFor(oss: OssEmulator, changes: Partial<OssOptions> = {}): OssOptions {
  return {
    bucket: oss.bucket,
    endpoint: oss.endpoint,
    accessKeyId: oss.accessKeyId,
    accessKeySecret: oss.accessKeySecret,
    installationId: fixedInstallationId(installation),
    firstDelaySeconds,
    ...changes,
  }
}

export function keyOf(owner: string, job: string, by = installation): string {
  return uploadKey({ owner, job, installation: by })
}

/** The client library itself, connected to the emulator. */
export function clientOf(oss: OssEmulator): OSS {
  const options = { ...optionsFor(oss), region: oss.region, authorizationV4: true, sldEnable: true }
  return new OSS(options as OSS.Options)
}

/** True for a request that carries audio. */
export function isTransfer({ kind }: OssRequest): boolean {
  return kind === 'part' || kind === 'put' || kind === 'post'
}

/** A fake DashScope that only issues upload policies. */
export function dashscopeWith(
  oss: OssEmulator,
  policy: (model: string) => object = model => oss.temporary.issuePolicy({ model }),
): Dashscope {
  return {
    missingKey: () => undefined,
    clockAheadMs: () => 0,
    baseUrl: 'http://127.0.0.1:1/api/v1',
    call: async ({ path, query }) => {
      expect({ path, action: query?.action }).toEqual({ path: 'uploads', action: 'getPolicy' })
      return { data: policy(query!.model!), request_id: 'r' }
    },
  }
}

/** Collects the warnings logged from now on. */
export function captureWarnings(): () => { event: string }[] {
  setLogLevel('warn')
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  return () => write.mock.calls.map(([line]) => JSON.parse(String(line)))
}

/** The part of `StorageService` that injects faults. */
export function faultControls(oss: OssEmulator) {
  return {
    transfers: () => oss.requests.filter(isTransfer).length,
    failTransfers(how: 'error' | 'drop' | 'refuse', times?: number) {
      const scope = { when: isTransfer, ...(times && { times }) }
      if (how === 'drop') oss.fault({ kind: 'drop', ...scope })
      else
        oss.fault({
          kind: 'error',
          ...(how === 'refuse' ? refusal : { status: 503, code: 'Busy' }),
          ...scope,
        })
    },
    hang: () => oss.fault({ kind: 'hang', when: isTransfer }),
    close: oss.close,
  }
}
