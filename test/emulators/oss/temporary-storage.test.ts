// The OSS emulator: temporary storage with upload policies.
import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { type OssOptions, startOss } from '../../../emulators/oss/oss.ts'
import { closedAfterEach } from '../../support/closed-after-each.ts'
import { fieldsOf, formOf, refusalIn, send } from '../../support/emulators/oss-client.ts'

const start = closedAfterEach((options: OssOptions = {}) => startOss(options))

describe('temporary storage', () => {
  const file = randomBytes(5000)
  const post = (url: string, body: FormData) => fetch(url, { method: 'POST', body })

  it("a form with a policy is stored and can be fetched for the policy's model", async () => {
    const server = await start()
    const policy = server.temporary.issuePolicy({ model: 'fun-asr-mtl' })
    const response = await post(policy.upload_host, formOf(fieldsOf(policy), file))
    expect([response.status, await response.text()]).toEqual([200, ''])
    const key = `${policy.upload_dir}/meeting.mp3`
    expect(server.temporary.read(key)).toEqual(file)
    expect(server.temporary.modelOf(key)).toBe('fun-asr-mtl')
    expect(server.temporary.objects()).toMatchObject([{ key, size: 5000, model: 'fun-asr-mtl' }])
    expect(server.objects()).toEqual([])
    const fetched = await fetch(server.temporary.signedUrl(key))
    expect(Buffer.from(await fetched.arrayBuffer())).toEqual(file)
    const { success_action_status: _, ...silent } = fieldsOf(policy, 'second.mp3')
    expect((await post(policy.upload_host, formOf(silent, file))).status).toBe(204)
  })

  it('a form that violates its policy is refused', async () => {
    const server = await start()
    const policy = server.temporary.issuePolicy({ model: 'm', maxMegabytes: 1 })
    const attempt = async (changes: Record<string, string>, body = file) =>
      refusalIn(await post(policy.upload_host, formOf({ ...fieldsOf(policy), ...changes }, body)))
    const denied = { status: 403, code: 'AccessDenied' }
    expect(await attempt({ key: 'elsewhere/meeting.mp3' })).toMatchObject(denied)
    expect(await attempt({ 'x-oss-object-acl': 'public-read' })).toMatchObject(denied)
    expect(await attempt({ 'x-oss-forbid-overwrite': 'false' })).toMatchObject(denied)
    expect(await attempt({ Signature: 'bm9uZQ==' })).toMatchObject({ code: 'SignatureDoesNotMatch' })
    expect(await attempt({ OSSAccessKeyId: 'LTAIother' })).toMatchObject({ code: 'InvalidAccessKeyId' })
    expect(await attempt({}, Buffer.alloc(1024 * 1024 + 1))).toMatchObject({
      status: 400,
      code: 'EntityTooLarge',
    })
    expect(server.temporary.objects()).toEqual([])
    expect((await post(policy.upload_host, formOf(fieldsOf(policy), file))).status).toBe(200)
    expect(await attempt({})).toMatchObject({ status: 409, code: 'FileAlreadyExists' })
  })

  it('policies and temporary uploads expire', async () => {
    let now = Date.now()
    const server = await start({ now: () => now })
    const policy = server.temporary.issuePolicy({ model: 'm', expiresIn: 300 })
    await post(policy.upload_host, formOf(fieldsOf(policy), file))
    now += 300_000
    const late = await post(policy.upload_host, formOf(fieldsOf(policy, 'late.mp3'), file))
    expect(await refusalIn(late)).toEqual({
      status: 403,
      code: 'AccessDenied',
      message: 'Invalid according to Policy: Policy expired.',
    })
    now += 48 * 3_600_000
    const key = `${policy.upload_dir}/meeting.mp3`
    expect(server.temporary.read(key)).toBeUndefined()
    const gone = await fetch(server.temporary.signedUrl(key))
    expect(await refusalIn(gone)).toMatchObject({ status: 404, code: 'NoSuchKey' })
  })

  it('a malformed form is refused as strictly as by the service', async () => {
    const server = await start()
    const policy = server.temporary.issuePolicy({ model: 'm' })
    const { pathname: path } = new URL(policy.upload_host)
    const raw = Buffer.from(await new Response(formOf(fieldsOf(policy), file)).arrayBuffer())
    const boundary = raw.toString('latin1', 2, raw.indexOf('\r\n'))
    const length = (body: Buffer) => ({ 'content-length': String(body.length) })
    const type = (text: string) => ({ 'content-type': `multipart/form-data; boundary=${text}` })
    const attempt = async (body: Buffer, headers: Record<string, string>) =>
      refusalIn(await send(server, { method: 'POST', path, body, headers }))
    const malformed = { status: 400, code: 'MalformedPOSTRequest' }
    const unquoted = Buffer.from(raw.toString('latin1').replace('name="policy"', 'name=policy'), 'latin1')
    expect(await attempt(unquoted, { ...length(unquoted), ...type(boundary) })).toMatchObject(malformed)
    expect(await attempt(raw, { ...length(raw), ...type(`"${boundary}"`) })).toMatchObject(malformed)
    const chunked = { 'transfer-encoding': 'chunked', ...type(boundary) }
    expect(await attempt(raw, chunked)).toMatchObject({ status: 411, code: 'MissingContentLength' })
    const { key, ...others } = fieldsOf(policy)
    const early = formOf(others, file)
    early.append('key', key!)
    expect((await post(policy.upload_host, early)).status).toBe(403)
    const { OSSAccessKeyId, ...anonymous } = fieldsOf(policy)
    const keyLast = formOf(anonymous, file)
    keyLast.append('OSSAccessKeyId', OSSAccessKeyId!)
    const misplaced = await (await post(policy.upload_host, keyLast)).text()
    expect(misplaced).toMatch(
      /<Code>InvalidArgument<.*please check the order of the fields.*<EC>0002-00000706</s,
    )
    const unknown = formOf({ ...fieldsOf(policy), OSSAccessKeyId: 'LTAIother' }, file)
    expect(await (await post(policy.upload_host, unknown)).text()).toContain('<EC>0002-00000902</EC>')
    const fileless = await post(policy.upload_host, formOf(fieldsOf(policy), undefined))
    expect(await refusalIn(fileless)).toMatchObject({ status: 400, code: 'InvalidArgument' })
    expect(server.temporary.objects()).toEqual([])
    expect(
      (
        await send(server, {
          method: 'POST',
          path,
          body: raw,
          headers: { ...length(raw), ...type(boundary) },
        })
      ).status,
    ).toBe(200)
  })
})
