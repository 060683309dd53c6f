// Errors of DashScope: the code, retryability and scope that each status and provider code means.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { describeError, type ErrorCode } from '../../../../src/domain/errors.ts'
import { createHttpClient, type HttpClient } from '../../../../src/drivers/http/http.ts'
import { failure } from '../../../support/failure.ts'
import { apiKey, chunk, never, recogniserOf } from '../../../support/servers/dashscope-client.ts'
import { startTaskServer, type TaskServer } from '../../../support/servers/task-server.ts'

let server: TaskServer
let http: HttpClient

beforeAll(async () => {
  server = await startTaskServer()
})
beforeEach(() => {
  http = createHttpClient({ connections: 4 })
})
afterEach(() => http.close())
afterAll(() => server.close())

const recogniser = () => recogniserOf(http, { baseUrl: server.baseUrl })

describe('errors of DashScope', () => {
  // Status and code as in the provider's error reference; `true`: retryable; `account`: every other chunk would fail too.
  it.each<[number, string, ErrorCode, boolean, 'account' | 'model' | 'request']>([
    [400, 'InvalidParameter', 'PROVIDER_REFUSED', false, 'request'],
    [400, 'InvalidParameter.DataInspection', 'PROVIDER_REFUSED', false, 'request'],
    [400, 'DataInspectionFailed', 'CONTENT_REFUSED', false, 'request'],
    [400, 'data_inspection_failed', 'CONTENT_REFUSED', false, 'request'],
    [400, 'Arrearage', 'ACCOUNT_IN_ARREARS', false, 'account'],
    [400, 'InvalidURL', 'PROVIDER_REFUSED', false, 'request'],
    [400, 'InvalidURL.Timeout', 'PROVIDER_REFUSED', false, 'request'],
    [400, 'InvalidFile.DownloadFailed', 'PROVIDER_REFUSED', false, 'request'],
    [400, 'InvalidFile.AudioLengthError', 'PROVIDER_REFUSED', false, 'request'],
    [400, 'BadRequest.TooLarge', 'PROVIDER_REFUSED', false, 'request'],
    [400, 'BadRequest.EmptyInput', 'PROVIDER_REFUSED', false, 'request'],
    [400, 'UnsupportedOperation', 'PROVIDER_REFUSED', false, 'request'],
    [401, 'InvalidApiKey', 'KEY_REFUSED', false, 'account'],
    [401, 'invalid_api_key', 'KEY_REFUSED', false, 'account'],
    [403, 'AccessDenied', 'ACCESS_DENIED', false, 'model'],
    [403, 'AccessDenied.Unpurchased', 'ACCESS_DENIED', false, 'model'],
    [403, 'Model.AccessDenied', 'ACCESS_DENIED', false, 'model'],
    [403, 'Workspace.AccessDenied', 'ACCESS_DENIED', false, 'model'],
    [403, 'AllocationQuota.FreeTierOnly', 'FREE_TIER_USED_UP', false, 'model'],
    [404, 'ModelNotFound', 'MODEL_NOT_FOUND', false, 'model'],
    [404, 'model_not_found', 'MODEL_NOT_FOUND', false, 'model'],
    [429, 'Throttling.RateQuota', 'THROTTLED', true, 'request'],
    [429, 'Throttling.BurstRate', 'THROTTLED', true, 'request'],
    [429, 'limit_burst_rate', 'THROTTLED', true, 'request'],
    [429, 'Throttling.AllocationQuota', 'THROTTLED', true, 'request'],
    [400, 'Throttling.AllocationQuota', 'THROTTLED', true, 'request'],
    [429, 'insufficient_quota', 'THROTTLED', true, 'request'],
    [429, 'Throttling', 'THROTTLED', true, 'request'],
    [429, 'CommodityNotPurchased', 'ACCOUNT_IN_ARREARS', false, 'account'],
    [429, 'PrepaidBillOverdue', 'ACCOUNT_IN_ARREARS', false, 'account'],
    [429, 'PostpaidBillOverdue', 'ACCOUNT_IN_ARREARS', false, 'account'],
    [500, 'InternalError', 'PROVIDER_FAILED', true, 'request'],
    [500, 'InternalError.Algo', 'PROVIDER_FAILED', true, 'request'],
    [500, 'InternalError.Timeout', 'PROVIDER_FAILED', true, 'request'],
    [500, 'SystemError', 'PROVIDER_FAILED', true, 'request'],
    [500, 'ModelServiceFailed', 'PROVIDER_FAILED', true, 'request'],
    [500, 'ModelServingError', 'PROVIDER_FAILED', true, 'request'],
    [503, 'ModelServingError', 'PROVIDER_FAILED', true, 'request'],
    [503, 'ModelUnavailable', 'PROVIDER_FAILED', true, 'request'],
    [500, 'RequestTimeOut', 'PROVIDER_FAILED', true, 'request'],
  ])('reads status %i and code %s as %s', async (status, providerCode, code, retryable, scope) => {
    server.respond(status, { code: providerCode, message: 'PRIVATE words', request_id: 'r' })
    const error = await failure(recogniser().recognise(chunk, never))
    expect(error).toMatchObject({ code, retryable, scope })
    expect(describeError(error)).not.toContain('PRIVATE')
    expect(describeError(error)).not.toContain(apiKey)
  })

  // Recorded answers whose code is too general, is within the message, or is nested as gateways do it.
  const general = (message: string) => ({ code: 'InvalidParameter', message })
  const gone = ['MODEL_NOT_FOUND', 'model'] as const
  const refused = ['PROVIDER_REFUSED', 'request'] as const
  const unfit = ['CONTENT_REFUSED', 'request'] as const
  it.each<[string, number, object, ErrorCode, 'account' | 'model' | 'request']>([
    ['a model that is gone, in the message', 400, general('Model not exist.'), ...gone],
    ['a model that is gone, in the message', 404, general('Model not exist.'), ...gone],
    ['a model that is gone, nested', 400, { error: { code: 'model_not_found', message: 'x' } }, ...gone],
    ['a model that is gone, nested', 404, { error: { code: 'model_not_found', message: 'x' } }, ...gone],
    [
      'a model that is gone, nested with a number',
      404,
      { error: { code: 404, message: "model 'x' not found or no enabled endpoints" } },
      ...gone,
    ],
    [
      'a model that new users do not get',
      404,
      { error: { message: 'This model models/x is no longer available to new users. PRIVATE' } },
      ...gone,
    ],
    [
      'arrears, nested',
      400,
      { error: { code: 'Arrearage', message: 'PRIVATE' } },
      'ACCOUNT_IN_ARREARS',
      'account',
    ],
    [
      'a content check, in the message',
      400,
      general('<400> InternalError.Algo.DataInspectionFailed: PRIVATE'),
      ...unfit,
    ],
    [
      'a content check, as an inner code',
      400,
      { code: 'InternalError.Algo.DataInspectionFailed', message: 'PRIVATE' },
      ...unfit,
    ],
    [
      'a content check, in words',
      400,
      general('Input text data may contain inappropriate content. PRIVATE'),
      ...unfit,
    ],
    [
      'bad audio, as an inner code',
      400,
      { code: 'InternalError.Algo.InvalidParameter', message: 'PRIVATE' },
      ...refused,
    ],
    [
      'bad audio, in the message',
      400,
      general('<400> InternalError.Algo.InvalidParameter: PRIVATE'),
      ...refused,
    ],
    [
      'the free quota, in the message',
      403,
      { error: { message: 'please disable the "use free tier only" mode in the console. PRIVATE' } },
      'FREE_TIER_USED_UP',
      'model',
    ],
    [
      'a model of another route',
      400,
      general('url error, please check url！ PRIVATE'),
      'PROVIDER_REFUSED',
      'model',
    ],
  ])('reads %s (%i), and does not repeat the request', async (_, status, body, code, scope) => {
    server.respond(status, body)
    const error = await failure(recogniser().recognise(chunk, never))
    expect(error).toMatchObject({ code, scope, retryable: false })
    expect(describeError(error)).not.toContain('PRIVATE')
  })

  it('names the model and its setting where the model is gone or of another route', async () => {
    for (const message of ['Model not exist.', 'url error, please check url！']) {
      server.respond(400, general(message))
      expect(describeError(await failure(recogniser().recognise(chunk, never)))).toMatch(
        /qwen3-asr-flash\b.*ASR_MODEL/,
      )
    }
  })

  it.each([
    { code: 'ASR_RESPONSE_HAVE_NO_WORDS', message: 'x' },
    general('<400> InternalError.Algo: ASR_RESPONSE_HAVE_NO_WORDS'),
    { error: { code: 'ASR_RESPONSE_HAVE_NO_WORDS', message: 'x' } },
    { code: 'SUCCESS_WITH_NO_VALID_FRAGMENT', message: 'x' },
  ])('reads silence that is told as an error: %j', async body => {
    server.respond(400, body)
    expect(await recogniser().recognise(chunk, never)).toMatchObject({ text: '', costUsd: 0 })
  })

  it('names an unknown code in the message, but only what looks like a code', async () => {
    server.respond(400, { code: 'InvalidFile.AudioLengthError', message: 'x' })
    expect((await failure(recogniser().recognise(chunk, never))).message).toContain(
      '(400, InvalidFile.AudioLengthError)',
    )
    server.respond(400, { code: 'PRIVATE words', message: 'x' })
    expect(describeError(await failure(recogniser().recognise(chunk, never)))).not.toContain('PRIVATE')
  })

  it.each<[number, ErrorCode, boolean]>([
    [400, 'PROVIDER_REFUSED', false],
    [401, 'KEY_REFUSED', false],
    [403, 'PROVIDER_REFUSED', false],
    [404, 'WRONG_BASE_URL', false],
    [302, 'PROVIDER_REFUSED', false],
    [408, 'PROVIDER_FAILED', true],
    [413, 'PROVIDER_REFUSED', false],
    [429, 'THROTTLED', true],
    [502, 'PROVIDER_FAILED', true],
    [504, 'PROVIDER_FAILED', true],
  ])('reads status %i with the page of a proxy as %s', async (status, code, retryable) => {
    server.respond(status, '<html>PRIVATE</html>')
    const error = await failure(recogniser().recognise(chunk, never))
    expect(error).toMatchObject({ code, retryable })
    expect(describeError(error)).not.toContain('PRIVATE')
  })
})
