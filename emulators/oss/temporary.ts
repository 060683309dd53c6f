// Model Studio's temporary storage: a bucket for form uploads with a policy, for one model, for two days.
import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto'
import { type Credentials, unknownKey } from './access.ts'
import { refusal } from './errors.ts'
import { type Form, parseForm } from './form.ts'
import { checkKey } from './objects.ts'
import type { Answer, OperationRequest, Target } from './request.ts'
import { ALGORITHM, canonicalRequest, encode, scopeText, sign, stringToSign, timestamp } from './signature.ts'
import { type Bucket, createBucket, etagOf, guardOverwrite } from './storage.ts'

export const TEMPORARY_BUCKET = 'dashscope-file-mgr'
/** Uploads are deleted after this time. */
const lifetimeMs = 48 * 3_600_000

/** `data` of the response to `uploads?action=getPolicy`. */
export interface Policy {
  policy: string
  signature: string
  upload_dir: string
  upload_host: string
  expire_in_seconds: number
  max_file_size_mb: number
  capacity_limit_mb: number
  oss_access_key_id: string
  x_oss_object_acl: string
  x_oss_forbid_overwrite: string
}

export interface TemporaryStore {
  /** Target URL of forms. */
  uploadHost: string
  /** Default: 1024 MB, 300 s. `requestId` becomes part of the upload folder, as in the service. */
  issuePolicy(of: { model: string; maxMegabytes?: number; expiresIn?: number; requestId?: string }): Policy
  read(key: string): Buffer | undefined
  /** The model that the policy of an upload was issued for. */
  modelOf(key: string): string | undefined
  objects(): { key: string; size: number; lastModified: number; model: string | undefined }[]
  /** A signed URL of an upload, for the provider's own download; the object need not exist. */
  signedUrl(key: string, seconds?: number): string
}

/** The part that only the server itself uses. */
export interface TemporaryBucket extends TemporaryStore {
  credentials: Credentials
  content(): Bucket
  admit(target: Target): void
  post(call: OperationRequest): Answer
}

type Condition = [string, ...unknown[]] | Record<string, string>

export function createTemporaryStore(of: {
  endpoint: string
  region: string
  clock: () => number
}): TemporaryBucket {
  const { endpoint, region, clock } = of
  const bucket = createBucket(TEMPORARY_BUCKET)
  const models = new Map<string, string>()
  const credentials = {
    accessKeyId: 'LTAI5tTemporaryStoreKey0',
    accessKeySecret: `temporary-${randomUUID()}`,
  }
  const account = randomUUID().replaceAll('-', '')
  const uploadHost = `${endpoint}/${TEMPORARY_BUCKET}`

  function content(): Bucket {
    for (const [key, { modified }] of bucket.objects) {
      if (clock() >= modified + lifetimeMs) bucket.objects.delete(key)
    }
    return bucket
  }

  function signPolicy(policy: string): string {
    return createHmac('sha1', credentials.accessKeySecret).update(policy).digest('base64')
  }

  function modelOf(key: string): string | undefined {
    return [...models].find(([directory]) => key.startsWith(directory))?.[1]
  }

  /** Throws if the form has no policy of this server or violates it. */
  function checkForm({ fields, file }: Form): void {
    const policy = fields.get('policy')
    const signature = fields.get('Signature')
    const accessKeyId = fields.get('OSSAccessKeyId')
    // Recorded of a form whose fields came after its file.
    if (!accessKeyId) throw missingField('OSSAccessKeyId')
    if (!policy || !signature) throw refusal('AccessDenied')
    if (accessKeyId !== credentials.accessKeyId) throw unknownKey(accessKeyId)
    if (!same(signature, signPolicy(policy))) throw refusal('SignatureDoesNotMatch')
    const { expiration, conditions } = JSON.parse(Buffer.from(policy, 'base64').toString('utf8'))
    if (clock() >= Date.parse(expiration))
      throw refusal('AccessDenied', 'Invalid according to Policy: Policy expired.')
    for (const condition of conditions as Condition[]) check(condition, fields, file.body.length)
  }

  return {
    uploadHost,
    credentials,
    content,
    modelOf,
    issuePolicy({ model, maxMegabytes = 1024, expiresIn = 300, requestId = randomUUID() }) {
      const now = clock()
      const directory = `dashscope-instant/${account}/${new Date(now).toISOString().slice(0, 10)}/${requestId}`
      models.set(directory, model)
      const document = {
        expiration: new Date(now + expiresIn * 1000).toISOString(),
        conditions: [
          ['content-length-range', 0, maxMegabytes * 1024 * 1024],
          ['starts-with', '$key', directory],
          { bucket: TEMPORARY_BUCKET },
          { 'x-oss-object-acl': 'private' },
          { 'x-oss-forbid-overwrite': 'true' },
        ],
      }
      const policy = Buffer.from(JSON.stringify(document)).toString('base64')
      return {
        policy,
        signature: signPolicy(policy),
        upload_dir: directory,
        upload_host: uploadHost,
        expire_in_seconds: expiresIn,
        max_file_size_mb: maxMegabytes,
        capacity_limit_mb: 999_999_999,
        oss_access_key_id: credentials.accessKeyId,
        x_oss_object_acl: 'private',
        x_oss_forbid_overwrite: 'true',
      }
    },
    read: key => content().objects.get(key)?.body,
    objects: () =>
      [...content().objects].map(([key, { body, modified }]) => ({
        key,
        size: body.length,
        lastModified: modified,
        model: modelOf(key),
      })),
    signedUrl(key, seconds = 3600) {
      const date = timestamp(clock())
      const scope = { day: date.slice(0, 8), region }
      const query = new Map([
        ['x-oss-credential', `${credentials.accessKeyId}/${scopeText(scope)}`],
        ['x-oss-date', date],
        ['x-oss-expires', String(seconds)],
        ['x-oss-signature-version', ALGORITHM],
      ])
      const target: Target = { method: 'GET', bucket: TEMPORARY_BUCKET, key, query, headers: {} }
      const text = stringToSign(date, scope, canonicalRequest(target, []))
      query.set('x-oss-signature', sign(credentials.accessKeySecret, scope, text))
      const search = [...query].map(([name, value]) => `${name}=${encode(value)}`).join('&')
      return `${uploadHost}/${encode(key).replaceAll('%2F', '/')}?${search}`
    },
    admit({ headers }) {
      if (headers['content-length'] === undefined) throw refusal('MissingContentLength')
    },
    post({ headers, body, now }) {
      const form = parseForm(headers['content-type'], body)
      checkForm(form)
      const { fields, file } = form
      const key = (fields.get('key') ?? '').replace(/\$\{filename\}/g, () => file.name)
      if (!key) throw refusal('InvalidArgument', 'Bucket POST must contain a field named key.')
      checkKey(key)
      guardOverwrite(content(), key, fields.get('x-oss-forbid-overwrite'))
      const type = fields.get('x-oss-content-type') ?? file.type ?? 'application/octet-stream'
      const etag = etagOf(file.body)
      bucket.objects.set(key, { body: file.body, etag, type, meta: {}, modified: now, multipart: false })
      return { status: fields.get('success_action_status') === '200' ? 200 : 204, headers: { etag } }
    },
  }
}

function missingField(name: string): Error {
  const message = `The bucket POST must contain the specified '${name}'. If it is specified, please check the order of the fields`
  return refusal('InvalidArgument', message, { ArgumentName: name, ArgumentValue: '', EC: '0002-00000706' })
}

function check(condition: Condition, fields: Map<string, string>, size: number): void {
  const [rule, name, value] = Array.isArray(condition)
    ? condition
    : (['eq', ...Object.entries(condition)[0]!] as const)
  if (rule === 'content-length-range') {
    if (size > Number(value)) throw refusal('EntityTooLarge')
    if (size < Number(name)) throw refusal('EntityTooSmall')
    return
  }
  const field = String(name).replace(/^\$/, '')
  // The bucket of a form is the one it was sent to.
  const given = field === 'bucket' ? TEMPORARY_BUCKET : (fields.get(field) ?? '')
  const fits = rule === 'starts-with' ? given.startsWith(String(value)) : given === value
  if (!fits) {
    const words = JSON.stringify([rule, `$${field}`, value])
    throw refusal('AccessDenied', `Invalid according to Policy: Policy Condition failed: ${words}`)
  }
}

function same(given: string, expected: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)]
  return one.length === other.length && timingSafeEqual(one, other)
}
