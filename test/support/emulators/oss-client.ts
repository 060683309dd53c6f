// The real OSS client, pointed at the emulator, and helpers for its errors, forms and signatures.
import { createHash, createHmac, randomBytes } from 'node:crypto'
import { request } from 'node:http'
import OSS from 'ali-oss'
import type { OssEmulator, Policy } from '../../../emulators/oss/oss.ts'

// `sldEnable` is missing in the types of the client.
type ClientOptions = OSS.Options & { sldEnable?: boolean }

/** A client with the keys of the server, unless `changes` says otherwise. */
export function clientOf(server: OssEmulator, changes: Partial<ClientOptions> = {}): OSS {
  const options: ClientOptions = {
    endpoint: server.endpoint,
    region: `oss-${server.region}`,
    bucket: server.bucket,
    accessKeyId: server.accessKeyId,
    accessKeySecret: server.accessKeySecret,
    sldEnable: true,
    authorizationV4: true,
    ...changes,
  }
  return new OSS(options)
}

/** Status, code and message of a refused call. Throws if it succeeds. */
export async function refusalOf(call: Promise<unknown>) {
  try {
    await call
  } catch (error) {
    const { status, code, message, requestId } = error as Record<string, unknown>
    return { status, code, message, requestId }
  }
  throw new Error('The call was not refused.')
}

/** The same for a plain response. */
export async function refusalIn(response: Response) {
  const text = await response.text()
  const read = (name: string) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1]
  return { status: response.status, code: read('Code'), message: read('Message') }
}

/** Starts a multipart upload with parts of these sizes; resolves with its id, the etags and the content. */
export async function uploadParts(client: OSS, key: string, sizes: number[]) {
  const { uploadId } = await client.initMultipartUpload(key)
  const bodies = sizes.map(size => randomBytes(size))
  const parts: { number: number; etag: string }[] = []
  for (const [index, body] of bodies.entries()) {
    const part = await client.uploadPart(key, uploadId, index + 1, body, 0, body.length)
    parts.push({ number: index + 1, etag: part.etag })
  }
  return { uploadId, parts, whole: Buffer.concat(bodies) }
}

/** The form fields that a policy of Model Studio requires. */
export function fieldsOf(policy: Policy, name = 'meeting.mp3'): Record<string, string> {
  return {
    OSSAccessKeyId: policy.oss_access_key_id,
    policy: policy.policy,
    Signature: policy.signature,
    key: `${policy.upload_dir}/${name}`,
    'x-oss-object-acl': policy.x_oss_object_acl,
    'x-oss-forbid-overwrite': policy.x_oss_forbid_overwrite,
    success_action_status: '200',
  }
}

export function formOf(fields: Record<string, string>, file: Buffer | undefined): FormData {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) form.append(name, value)
  if (file) form.append('file', new Blob([new Uint8Array(file)], { type: 'audio/mpeg' }), 'meeting.mp3')
  return form
}

/** Sends any request, also one that the client would not send. */
export function send(
  server: OssEmulator,
  of: { method: string; path: string; headers?: Record<string, string>; body?: Buffer },
): Promise<Response> {
  const { method, path, headers = {}, body } = of
  return new Promise((resolve, reject) => {
    request(`${server.endpoint}${path}`, { method, headers, agent: false }, response => {
      const pieces: Buffer[] = []
      response.on('data', piece => pieces.push(piece))
      response.once('error', reject)
      response.once('end', () => {
        const text = Buffer.concat(pieces).toString()
        resolve(new Response(text || null, { status: response.statusCode ?? 0 }))
      })
    })
      .once('error', reject)
      .end(body)
  })
}

/** Headers with signature V4, computed independently of client and server. */
export function signedHeaders(
  server: OssEmulator,
  of: { method: string; resource: string; query?: string; headers?: Record<string, string> },
): Record<string, string> {
  const date = new Date().toISOString().replace(/\.\d+|[-:]/g, '')
  const scope = `${date.slice(0, 8)}/${server.region}/oss/aliyun_v4_request`
  const headers: Record<string, string> = {
    ...of.headers,
    'x-oss-content-sha256': 'UNSIGNED-PAYLOAD',
    'x-oss-date': date,
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`)
  const canonical = [of.method, of.resource, of.query ?? '', lines.sort().join(''), '', 'UNSIGNED-PAYLOAD']
  const hash = createHash('sha256').update(canonical.join('\n')).digest('hex')
  const mac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest()
  const key = scope.split('/').reduce<string | Buffer>(mac, `aliyun_v4${server.accessKeySecret}`)
  const signature = mac(key, ['OSS4-HMAC-SHA256', date, scope, hash].join('\n')).toString('hex')
  return {
    ...headers,
    authorization: `OSS4-HMAC-SHA256 Credential=${server.accessKeyId}/${scope},Signature=${signature}`,
  }
}
