// Policy that permits one upload to DashScope's temporary store, for one model and five minutes.
import { SpeechError } from '../../../domain/errors.ts'
import type { Dashscope } from '../../http/dashscope.ts'

export interface UploadPolicy {
  host: string
  /** Folder that the object key has to start with. */
  folder: string
  maxBytes: number
  /** Form fields before the file, in the order of the reference. */
  fields(key: string): Record<string, string>
}

/** Fields of the response (Model Studio reference, temporary storage). */
interface PolicyResponse {
  policy?: unknown
  signature?: unknown
  upload_dir?: unknown
  upload_host?: unknown
  max_file_size_mb?: unknown
  oss_access_key_id?: unknown
  x_oss_object_acl?: unknown
  x_oss_forbid_overwrite?: unknown
}

export async function requestUploadPolicy(
  cloud: Dashscope,
  model: string,
  signal: AbortSignal,
): Promise<UploadPolicy> {
  const query = { action: 'getPolicy', model }
  const response = await cloud.call({ method: 'GET', path: 'uploads', query }, signal)
  const data = ((response as { data?: unknown } | null)?.data ?? {}) as PolicyResponse
  const { max_file_size_mb: maxMegabytes } = data
  const accessKeyId = printable(data.oss_access_key_id)
  const policy = printable(data.policy)
  const signature = printable(data.signature)
  const acl = printable(data.x_oss_object_acl)
  const forbidOverwrite = printable(data.x_oss_forbid_overwrite)
  return {
    host: checkedHost(printable(data.upload_host), cloud.baseUrl),
    folder: printable(data.upload_dir),
    maxBytes:
      typeof maxMegabytes === 'number' && maxMegabytes > 0
        ? maxMegabytes * 1024 * 1024
        : Number.POSITIVE_INFINITY,
    fields: key => ({
      OSSAccessKeyId: accessKeyId,
      policy,
      Signature: signature,
      key,
      'x-oss-object-acl': acl,
      'x-oss-forbid-overwrite': forbidOverwrite,
      success_action_status: '200',
    }),
  }
}

/** A line break in a value would start another form field. */
function printable(value: unknown): string {
  if (typeof value === 'string' && /^[ -~]+$/.test(value)) return value
  throw invalid('DashScope’s upload policy has an unknown format.')
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
