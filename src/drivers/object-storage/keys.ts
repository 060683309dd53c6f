// Names of uploads in a bucket: one folder of ours, in it the owner, the job, and whose job that is.

export const uploadsPrefix = 'speech-mcp/uploads/'

export interface UploadName {
  owner: string
  job: string
  /** Small letters and digits: installations that share a bucket give the same recording a job of the same id. */
  installation: string
  /** Set for a recording as it is; in it, what no other upload of the job has. */
  recording?: string
}

/** ASCII whatever the owner is called; `uploadOf` reads it back. */
export function uploadKey({ owner, job, installation, recording }: UploadName): string {
  const end = recording === undefined ? 'mp3' : `${recording}.recording`
  return `${uploadsPrefix}${encode(owner)}/${encode(job)}.${installation}.${end}`
}

/** Undefined for what is no upload of ours. */
export function parseUploadKey(key: string): UploadName | undefined {
  if (!key.startsWith(uploadsPrefix)) return undefined
  const found = /^([^/]+)\/([^/]+?)\.([a-z0-9]+)\.(?:mp3|([0-9a-f]+)\.recording)$/.exec(
    key.slice(uploadsPrefix.length),
  )
  if (!found) return undefined
  const [, owner, job, installation, recording] = found
  const name: UploadName = {
    owner: decode(owner!),
    job: decode(job!),
    installation: installation!,
    ...(recording !== undefined && { recording }),
  }
  return uploadKey(name) === key ? name : undefined
}

/** As in quoted-printable. A dot in front counts as a sign that is not safe: `..` would lead out of the folder. */
function encode(name: string): string {
  return name.replace(/^\.|[^\w.@-]/gu, sign =>
    [...Buffer.from(sign)].map(byte => `=${byte.toString(16).padStart(2, '0')}`).join(''),
  )
}

function decode(text: string): string {
  const bytes = text.replace(/=([0-9a-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
  return Buffer.from(bytes, 'latin1').toString()
}
