// Names of uploads in a bucket: one folder of ours, in it the owner, and the job.

export const uploadsPrefix = 'speech-mcp/uploads/'

/** ASCII whatever the owner is called; `ownerAndJob` reads it back. */
export function uploadKey(owner: string, job: string): string {
  return `${uploadsPrefix}${encode(owner)}/${encode(job)}.mp3`
}

/** Undefined for what is no upload of ours. */
export function ownerAndJob(key: string): { owner: string; job: string } | undefined {
  if (!key.startsWith(uploadsPrefix)) return undefined
  const found = /^([^/]+)\/([^/]+)\.mp3$/.exec(key.slice(uploadsPrefix.length))
  if (!found) return undefined
  const [owner, job] = [decode(found[1]!), decode(found[2]!)]
  return uploadKey(owner, job) === key ? { owner, job } : undefined
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
