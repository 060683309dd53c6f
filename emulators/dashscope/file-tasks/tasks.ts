// Asynchronous routes of DashScope: submit, poll, cancel and list tasks, and issue upload policies.
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TemporaryStore } from '../../oss/oss.ts'
import { dashscopeErrors, Refusal } from '../errors.ts'
import { readBody, sendError, sendJson, sendProxyPage } from '../http.ts'
import { goneError } from '../models/gone.ts'
import { taskModel } from '../models/speech.ts'
import { createLimiter } from '../rate-limit.ts'
import { unknownAnswer } from './envelope.ts'
import { listAnswer } from './list.ts'
import { newRecord, type TaskCall, type TaskRecord } from './record.ts'
import { parseTaskBody, readTaskRequest } from './request.ts'
import type { TaskRunner } from './run-task.ts'
import { newTaskRecord, startTaskRegistry } from './task-registry.ts'

export interface TaskSettings extends TaskRunner {
  /** Rate limit of each kind of request. */
  pollsPerSecond: number
  /** Lifetime of a result URL. */
  resultSeconds: number
  /** The provider's temporary storage, if there is one. */
  temporary: TemporaryStore | undefined
}

export interface TaskService {
  records: TaskRecord[]
  calls: TaskCall[]
  /** Handles a request of its routes; returns false for any other. */
  handle(request: IncomingMessage, response: ServerResponse, url: URL): boolean
  close(): Promise<void>
}

interface Exchange {
  request: IncomingMessage
  response: ServerResponse
  url: URL
  call: TaskCall
}

type Handler = (exchange: Exchange, id: string) => void | Promise<void>

// Slightly under a second: requests sent a second apart may arrive closer together.
const windowMs = 950

export async function startTaskService(service: TaskSettings, signal: AbortSignal): Promise<TaskService> {
  const { faults } = service
  const calls: TaskCall[] = []
  const registry = await startTaskRegistry(service, signal)
  const limiters = {
    poll: createLimiter(windowMs, service.pollsPerSecond),
    cancel: createLimiter(windowMs, service.pollsPerSecond),
    list: createLimiter(windowMs, service.pollsPerSecond),
  }

  function admit(kind: keyof typeof limiters): void {
    if (!limiters[kind].admit()) throw new Refusal(dashscopeErrors.rateQuota)
  }

  const submit: Handler = async ({ request, response, call }) => {
    const { headers } = request
    const body = await readBody(request)
    if (headers['x-dashscope-async'] !== 'enable') throw new Refusal(dashscopeErrors.noSynchronousCalls)
    const json = parseTaskBody(body)
    if (typeof json.model === 'string') call.model = json.model
    const gone = goneError(service.gone, json.model)
    if (gone) throw new Refusal(gone)
    const task = readTaskRequest(json, {
      resolves: headers['x-dashscope-ossresourceresolve'] === 'enable',
      forms: service.forms,
    })
    const record = newTaskRecord(task)
    const fault = faults.hit(record, 'submitError', 'submitHang', 'submitHtml', 'submitLost')
    if (fault?.kind === 'submitError') throw new Refusal(fault)
    if (fault?.kind === 'submitHang') return
    if (fault?.kind === 'submitHtml') return proxyPage(response, call, fault.status)
    call.id = record.id
    registry.add(task, record)
    if (fault?.kind === 'submitLost') return void request.socket.destroy()
    const output = { task_status: 'PENDING', task_id: record.id }
    answer({ request, response, call }, { output, request_id: randomUUID() })
  }

  const poll: Handler = (exchange, id) => {
    const { request, response, call } = exchange
    const task = registry.find(id)
    task?.record.polls.push(call.at)
    if (task) call.model = task.record.model
    admit('poll')
    const fault =
      task &&
      faults.hit(task.record, 'pollError', 'pollHang', 'pollDrop', 'pollHtml', 'pollGarbage', 'forgotten')
    if (fault?.kind === 'pollError') throw new Refusal(fault)
    if (fault?.kind === 'pollHang') return
    if (fault?.kind === 'pollDrop') return void request.socket.destroy()
    if (fault?.kind === 'pollHtml') return proxyPage(response, call, fault.status)
    if (fault?.kind === 'pollGarbage') return truncated(response, call)
    if (!task || fault?.kind === 'forgotten') return answer(exchange, unknownAnswer(id), pollContentType)
    answer(exchange, registry.describe(task, service.resultSeconds), pollContentType)
  }

  const cancel: Handler = (exchange, id) => {
    const record = registry.find(id)?.record
    if (record) exchange.call.model = record.model
    admit('cancel')
    const fault = record && faults.hit(record, 'cancelError')
    if (fault) throw new Refusal(fault)
    if (record?.state !== 'PENDING') throw new Refusal(dashscopeErrors.cannotCancel)
    record.state = 'CANCELED'
    record.endedAt = Date.now()
    answer(exchange, { request_id: randomUUID() })
  }

  const list: Handler = exchange => {
    const { searchParams } = exchange.url
    admit('list')
    const fault = faults.hit(subject(searchParams.get('model_name')), 'listError')
    if (fault) throw new Refusal(fault)
    answer(exchange, listAnswer(searchParams, registry.records))
  }

  const policy: Handler = exchange => {
    const { searchParams } = exchange.url
    const model = searchParams.get('model') ?? ''
    exchange.call.model = model
    const fault = faults.hit(subject(model), 'policyError')
    if (fault) throw new Refusal(fault)
    if (searchParams.get('action') !== 'getPolicy' || !model) throw new Refusal(dashscopeErrors.emptyInput)
    if (service.forms.policies === 'knownModels' && !taskModel(model))
      throw new Refusal(dashscopeErrors.modelNotExist)
    if (!service.temporary) throw new Refusal(dashscopeErrors.modelAccessDenied)
    const requestId = randomUUID()
    answer(exchange, { data: service.temporary.issuePolicy({ model, requestId }), request_id: requestId })
  }

  const routes: { kind: TaskCall['kind']; method: string; path: RegExp; handler: Handler }[] = [
    {
      kind: 'submit',
      method: 'POST',
      path: /^\/api\/v1\/services\/audio\/asr\/transcription$/,
      handler: submit,
    },
    { kind: 'list', method: 'GET', path: /^\/api\/v1\/tasks\/?$/, handler: list },
    { kind: 'poll', method: 'GET', path: /^\/api\/v1\/tasks\/([^/]+)$/, handler: poll },
    { kind: 'cancel', method: 'POST', path: /^\/api\/v1\/tasks\/([^/]+)\/cancel$/, handler: cancel },
    { kind: 'policy', method: 'GET', path: /^\/api\/v1\/uploads$/, handler: policy },
  ]

  async function run(exchange: Exchange, handler: Handler, id: string): Promise<void> {
    const { request, response, call } = exchange
    try {
      await handler(exchange, id)
    } catch (error) {
      if (request.socket.destroyed) return
      const refusal = error instanceof Refusal ? error.error : dashscopeErrors.internalError
      call.status = refusal.status
      sendError(request, response, refusal, call.at)
    }
  }

  return {
    records: registry.records,
    calls,
    handle(request, response, url) {
      for (const { kind, method, path, handler } of routes) {
        const found = request.method === method ? path.exec(url.pathname) : null
        if (!found) continue
        const id = found[1] ?? ''
        const call: TaskCall = { at: Date.now(), kind, status: 0, ...(id ? { id } : {}) }
        calls.push(call)
        void run({ request, response, url, call }, handler, id)
        return true
      }
      return false
    },
    close: registry.close,
  }
}

const pollContentType = 'application/json;charset=UTF-8'

function answer({ request, response, call }: Omit<Exchange, 'url'>, body: object, type?: string): void {
  call.status = 200
  sendJson(request, response, 200, body, call.at, type)
}

function proxyPage(response: ServerResponse, call: TaskCall, status = 502): void {
  call.status = status
  sendProxyPage(response, status)
}

function truncated(response: ServerResponse, call: TaskCall): void {
  call.status = 200
  response.writeHead(200, { 'content-type': pollContentType }).end('{"request_id":"4d496c94-')
}

/** The record that fault conditions see if there is no task. */
function subject(model: string | null): TaskRecord {
  return newRecord({ id: '', model: model ?? '', url: '', parameters: undefined })
}
