// Where a bucket is: its endpoints for uploads and for addresses, and the region that signatures name.
import { SpeechError } from '../../../domain/errors.ts'

export interface OssEndpoint {
  /** With its scheme and without the bucket. */
  upload: string
  /** The endpoint that everybody reaches: the provider cannot fetch from an internal one. */
  public: string
  /** `eu-central-1` */
  region: string
  /** True where the bucket stands in the path and not in front of the host. */
  pathStyle: boolean
}

/** The region of the default endpoint; a stand-in on this machine has no region in its name. */
const usualRegion = 'eu-central-1'

/** Takes endpoint and region in all the forms in which the console and the documents show them (OSS reference, endpoints). */
export function ossEndpoint({
  bucket,
  endpoint,
  region,
}: {
  bucket: string
  endpoint: string
  region?: string | undefined
}): OssEndpoint {
  const { protocol, host } = new URL(/^https?:\/\//i.test(endpoint) ? endpoint : `https://${endpoint}`)
  const bare = host.startsWith(`${bucket}.`) ? host.slice(bucket.length + 1) : host
  const pathStyle = protocol === 'http:'
  const signed = region?.replace(/^oss-/, '') ?? regionOf(bare) ?? (pathStyle ? usualRegion : undefined)
  if (!signed)
    throw new SpeechError('CONFIG_INVALID', 'OSS_ENDPOINT does not say which region the bucket is in.', {
      hint: 'Set OSS_REGION too, for example to eu-central-1.',
      scope: 'account',
    })
  return {
    upload: `${protocol}//${bare}`,
    public: `${protocol}//${bare.replace(/-internal(?=\.)/, '')}`,
    region: signed,
    pathStyle,
  }
}

/** `oss-eu-central-1.aliyuncs.com`, `oss-eu-central-1-internal.aliyuncs.com`, `eu-central-1.oss.aliyuncs.com`. */
function regionOf(host: string): string | undefined {
  const found =
    /^oss-(?!accelerate)([a-z]+(?:-[a-z0-9]+)+?)(?:-internal)?\.aliyuncs\.com$/i.exec(host) ??
    /^([a-z]+(?:-[a-z0-9]+)+)\.oss\.aliyuncs\.com$/i.exec(host)
  return found?.[1]?.toLowerCase()
}
