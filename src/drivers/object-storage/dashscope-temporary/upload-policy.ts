// Policy that permits one upload to DashScope's temporary store, for one model and five minutes.
import * as z from 'zod/v4'
import { SpeechError } from '../../../domain/errors.ts'
import { deadlines } from '../../../domain/network/deadlines.ts'
import type { Dashscope } from '../../http/dashscope.ts'

export interface UploadPolicy {
  host: string
  /** Folder that the object key has to start with. */
  folder: string
  maxBytes: number
  /** Form fields before the file, in the order of the reference. */
  fields(key: string): Record<string, string>
}

/** A line break in a value would start another form field. */
const printable = z.string().regex(/^[ -~]+$/)

/** Fields of the response (Model Studio reference, temporary storage). */
const policyResponse = z.object({
  data: z.object({
    policy: printable,
    signature: printable,
    upload_dir: printable,
    upload_host: printable,
    max_file_size_mb: z.number().positive().optional().catch(undefined),
    oss_access_key_id: printable,
    x_oss_object_acl: printable,
    x_oss_forbid_overwrite: printable,
  }),
})

export async function requestUploadPolicy(
  cloud: Dashscope,
  model: string,
  signal: AbortSignal,
): Promise<UploadPolicy> {
  const query = { action: 'getPolicy', model }
  const response = policyResponse.safeParse(
    await cloud.call({ method: 'GET', path: 'uploads', query, deadline: deadlines.uploadPolicy }, signal),
  )
  if (!response.success) throw invalid('DashScope’s upload policy has an unknown format.')
  const { data } = response.data
  return {
    host: checkedHost(data.upload_host, cloud.baseUrl),
    folder: data.upload_dir,
    maxBytes: (data.max_file_size_mb ?? Number.POSITIVE_INFINITY) * 1024 * 1024,
    fields: key => ({
      OSSAccessKeyId: data.oss_access_key_id,
      policy: data.policy,
      Signature: data.signature,
      key,
      'x-oss-object-acl': data.x_oss_object_acl,
      'x-oss-forbid-overwrite': data.x_oss_forbid_overwrite,
      success_action_status: '200',
    }),
  }
}

/** Accepts hosts of Alibaba Cloud OSS, and a local emulator if DashScope itself is one. */
function checkedHost(host: string, baseUrl: string): string {
  const url = URL.canParse(host) ? new URL(host) : undefined
  const isOss =
    url?.protocol === 'https:' &&
    !url.port &&
    /^[a-z0-9-]+\.oss-[a-z0-9-]+\.aliyuncs\.com$/.test(url.hostname)
  if (url && !url.username && (isOss || (isLocal(url) && isLocal(new URL(baseUrl))))) return url.href
  throw invalid('DashScope named an upload host that is not part of Alibaba Cloud OSS.')
}

function isLocal({ protocol, hostname }: URL): boolean {
  return protocol === 'http:' && /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname)
}

function invalid(message: string): SpeechError {
  return new SpeechError('UPLOAD_FAILED', message, {
    hint: 'Check DASHSCOPE_BASE_URL, or set OSS_BUCKET to upload to your own bucket.',
  })
}
