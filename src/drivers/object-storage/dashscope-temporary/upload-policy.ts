// Leave to upload one file into the provider's own store, for one model and five minutes.
import { SpeechError } from '../../../domain/errors.ts'
import type { Dashscope } from '../../http/dashscope.ts'

export interface UploadPolicy {
  host: string
  /** Folder of the name under which the file may be stored. */
  folder: string
  maxBytes: number
  /** What the form says before the file, in the order of the reference. */
  fields(key: string): Record<string, string>
}

/** Answers and documents write these in this way (Model Studio reference, temporary storage). */
interface PolicyAnswer {
  policy?: unknown
  signature?: unknown
  upload_dir?: unknown
  upload_host?: unknown
  max_file_size_mb?: unknown
  oss_access_key_id?: unknown
  x_oss_object_acl?: unknown
  x_oss_forbid_overwrite?: unknown
}

export async function uploadPolicy(
  cloud: Dashscope,
  model: string,
  signal: AbortSignal,
): Promise<UploadPolicy> {
  const query = { action: 'getPolicy', model }
  const answer = await cloud.call({ method: 'GET', path: 'uploads', query }, signal)
  const data = ((answer as { data?: unknown } | null)?.data ?? {}) as PolicyAnswer
  const { max_file_size_mb: most } = data
  const given = {
    accessKeyId: text(data.oss_access_key_id),
    policy: text(data.policy),
    signature: text(data.signature),
    acl: text(data.x_oss_object_acl),
    forbidOverwrite: text(data.x_oss_forbid_overwrite),
  }
  return {
    host: checkedHost(text(data.upload_host), cloud.baseUrl),
    folder: text(data.upload_dir),
    maxBytes: typeof most === 'number' && most > 0 ? most * 1024 * 1024 : Number.POSITIVE_INFINITY,
    fields: key => ({
      OSSAccessKeyId: given.accessKeyId,
      policy: given.policy,
      Signature: given.signature,
      key,
      'x-oss-object-acl': given.acl,
      'x-oss-forbid-overwrite': given.forbidOverwrite,
      success_action_status: '200',
    }),
  }
}

/** Values go into a form line by line: a line break in one would be read as the next field. */
function text(value: unknown): string {
  if (typeof value === 'string' && /^[ -~]+$/.test(value)) return value
  throw odd('DashScope’s leave to upload is not in a known form.')
}

/** The recording goes there: to a store of the cloud, or from a stand-in to a stand-in. */
function checkedHost(host: string, baseUrl: string): string {
  const url = URL.canParse(host) ? new URL(host) : undefined
  const isStore =
    url?.protocol === 'https:' &&
    !url.port &&
    /^[a-z0-9-]+\.oss-[a-z0-9-]+\.aliyuncs\.com$/.test(url.hostname)
  if (url && !url.username && (isStore || (isStandin(url) && isStandin(new URL(baseUrl))))) return url.href
  throw odd('DashScope named an address for the upload that is no store of Alibaba Cloud.')
}

function isStandin({ protocol, hostname }: URL): boolean {
  return protocol === 'http:' && /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname)
}

function odd(message: string): SpeechError {
  return new SpeechError('UPLOAD_FAILED', message, {
    hint: 'Check DASHSCOPE_BASE_URL, or set OSS_BUCKET to upload into a bucket of your own.',
  })
}
