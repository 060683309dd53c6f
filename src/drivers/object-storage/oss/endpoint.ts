// Endpoints of a bucket for uploads and for signed URLs, and the region that signatures name.
import { SpeechError } from '../../../domain/errors.ts'

export interface OssEndpoint {
  /** URL with scheme, without the bucket. */
  upload: string
  /** Public URL: the provider cannot reach an internal endpoint. */
  public: string
  /** `eu-central-1` */
  region: string
  /** True if the bucket is part of the path instead of the host name. */
  pathStyle: boolean
}

/** Region of the default endpoint, for an emulator whose host name contains none. */
const defaultRegion = 'eu-central-1'

/** Accepts endpoint and region in every form that the console and the documentation show (OSS reference, endpoints). */
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
  const bareHost = host.startsWith(`${bucket}.`) ? host.slice(bucket.length + 1) : host
  const pathStyle = protocol === 'http:'
  const signedRegion =
    region?.replace(/^oss-/, '') ?? regionIn(bareHost) ?? (pathStyle ? defaultRegion : undefined)
  if (!signedRegion)
    throw new SpeechError('CONFIG_INVALID', 'OSS_ENDPOINT does not contain the region of the bucket.', {
      hint: 'Set OSS_REGION too, for example to eu-central-1.',
      scope: 'account',
    })
  return {
    upload: `${protocol}//${bareHost}`,
    public: `${protocol}//${bareHost.replace(/-internal(?=\.)/, '')}`,
    region: signedRegion,
    pathStyle,
  }
}

/** `oss-eu-central-1.aliyuncs.com`, `oss-eu-central-1-internal.aliyuncs.com`, `eu-central-1.oss.aliyuncs.com`. */
function regionIn(host: string): string | undefined {
  const match =
    /^oss-(?!accelerate)([a-z]+(?:-[a-z0-9]+)+?)(?:-internal)?\.aliyuncs\.com$/i.exec(host) ??
    /^([a-z]+(?:-[a-z0-9]+)+)\.oss\.aliyuncs\.com$/i.exec(host)
  return match?.[1]?.toLowerCase()
}
