// Object keys of uploads: a common prefix, then owner, job and installation.

export const uploadsPrefix = 'speech-mcp/uploads/'

export interface UploadName {
  owner: string
  job: string
  /** Lower-case letters and digits. Installations that share a bucket give equal recordings equal job ids. */
  installation: string
  /** Set for an original recording: a random id of this upload. */
  recording?: string | undefined
}

/** Keys of what people upload under a ticket: a folder for each upload, and an empty object that says whose it is. */
export const receivedKeys = {
  record: (id: string) => `${uploadsPrefix}received/${id}/record.json`,
  pieces: (id: string) => `${uploadsPrefix}received/${id}/piece-`,
  piecesOf: ({ id, attempt = '' }: { id: string; attempt?: string }) =>
    `${uploadsPrefix}received/${id}/piece-${attempt}-`,
  owners: `${uploadsPrefix}owners/`,
  owner: (owner: string) => `${uploadsPrefix}owners/${encode(owner)}/`,
}

/** Key of the object with the key of pages. No sweep takes it for an upload. */
export function pageKeyKey(installation: string): string {
  return `${uploadsPrefix}keys/${installation}`
}

/** ASCII for any owner; `parseUploadKey` reverses it. */
export function uploadKey({ owner, job, installation, recording }: UploadName): string {
  const end = recording === undefined ? 'mp3' : `${recording}.recording`
  return `${uploadsPrefix}${encode(owner)}/${encode(job)}.${installation}.${end}`
}

/** Undefined for any other object. */
export function parseUploadKey(key: string): UploadName | undefined {
  if (!key.startsWith(uploadsPrefix)) return undefined
  const match = /^([^/]+)\/([^/]+?)\.([a-z0-9]+)\.(?:mp3|([0-9a-f]+)\.recording)$/.exec(
    key.slice(uploadsPrefix.length),
  )
  if (!match) return undefined
  const [, owner, job, installation, recording] = match
  const name = { owner: decode(owner!), job: decode(job!), installation: installation!, recording }
  return uploadKey(name) === key ? name : undefined
}

/** Escapes as quoted-printable does. Also escapes a leading dot: `..` would leave the folder. */
function encode(name: string): string {
  return name.replace(/^\.|[^\w.@-]/gu, char =>
    [...Buffer.from(char)].map(byte => `=${byte.toString(16).padStart(2, '0')}`).join(''),
  )
}

function decode(text: string): string {
  const bytes = text.replace(/=([0-9a-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
  return Buffer.from(bytes, 'latin1').toString()
}
