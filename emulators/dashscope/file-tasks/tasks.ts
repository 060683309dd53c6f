// The asynchronous part of DashScope: submit, poll, cancel and list tasks, and the policy of the temporary store.
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TemporaryStore } from '../../oss/oss.ts'
import { dashscopeErrors, Refusal } from '../errors.ts'
import { readBody, sendError, sendJson, sendProxyPage } from '../http.ts'
import { createLimiter } from '../rate-limit.ts'
import { unknownAnswer } from './envelope.ts'
import { listAnswer } from './list.ts'
import { taskModel } from './models.ts'
import { newRecord, type TaskCall, type TaskRecord } from './record.ts'
import { readTaskOrder } from './request.ts'
import type { TaskRunner } from './run-task.ts'
import { draft, openDesk } from './task-registry.ts'

export interface TaskService extends TaskRunner {
  /** Questions a second, for each kind of them. */
  pollsPerSecond: number
  /** How long the address of a result is good. */
  resultSeconds: number
  /** The provider's store of two days, where there is one. */
  temporary: TemporaryStore | undefined
}

export interface Tasks {
  records: TaskRecord[]
  calls: TaskCall[]
  /** Answers what belongs to it, and says whether it did. */
  handle(request: IncomingMessage, response: ServerResponse, url: URL): boolean
  close(): Promise<void>
}

interface Visit {
  request: IncomingMessage
  response: ServerResponse
  url: URL
  call: TaskCall
}

type Door = (visit: Visit, id: string) => void | Promise<void>

// A little less than a second: what left in time may arrive a little closer together.
const SECOND = 950

export async function startTasks(service: TaskService, signal: AbortSignal): Promise<Tasks> {
  const { faults } = service
  const calls: TaskCall[] = []
  const desk = await openDesk(service, signal)
  const limiters = {
    poll: createLimiter(SECOND, service.pollsPerSecond),
    cancel: createLimiter(SECOND, service.pollsPerSecond),
    list: createLimiter(SECOND, service.pollsPerSecond),
  }

  function admit(kind: keyof typeof limiters): void {
    if (!limiters[kind].admit()) throw new Refusal(dashscopeErrors.rateQuota)
  }

  const submit: Door = async ({ request, response, call }) => {
    const { headers } = request
    const body = await readBody(request)
    if (headers['x-dashscope-async'] !== 'enable') throw new Refusal(dashscopeErrors.noSynchronousCalls)
    const order = readTaskOrder(body, headers['x-dashscope-ossresourceresolve'] === 'enable')
    const record = draft(order)
    call.model = record.model
    const fault = faults.hit(record, 'submitError', 'submitHang', 'submitHtml', 'submitLost')
    if (fault?.kind === 'submitError') throw new Refusal(fault)
    if (fault?.kind === 'submitHang') return
    if (fault?.kind === 'submitHtml') return proxyPage(response, call, fault.status)
    call.id = record.id
    desk.take(order, record)
    if (fault?.kind === 'submitLost') return void request.socket.destroy()
    const output = { task_status: 'PENDING', task_id: record.id }
    answer({ request, response, call }, { output, request_id: randomUUID() })
  }

  const poll: Door = (visit, id) => {
    const { request, response, call } = visit
    const task = desk.find(id)
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
    if (fault?.kind === 'pollGarbage') return half(response, call)
    if (!task || fault?.kind === 'forgotten') return answer(visit, unknownAnswer(id), POLL_TYPE)
    answer(visit, desk.describe(task, service.resultSeconds), POLL_TYPE)
  }

  const cancel: Door = (visit, id) => {
    const record = desk.find(id)?.record
    if (record) visit.call.model = record.model
    admit('cancel')
    const fault = record && faults.hit(record, 'cancelError')
    if (fault) throw new Refusal(fault)
    if (record?.state !== 'PENDING') throw new Refusal(dashscopeErrors.cannotCancel)
    record.state = 'CANCELED'
    record.endedAt = Date.now()
    answer(visit, { request_id: randomUUID() })
  }

  const list: Door = visit => {
    const { searchParams } = visit.url
    admit('list')
    const fault = faults.hit(subject(searchParams.get('model_name')), 'listError')
    if (fault) throw new Refusal(fault)
    answer(visit, listAnswer(searchParams, desk.records))
  }

  const policy: Door = visit => {
    const { searchParams } = visit.url
    const model = searchParams.get('model') ?? ''
    visit.call.model = model
    const fault = faults.hit(subject(model), 'policyError')
    if (fault) throw new Refusal(fault)
    if (searchParams.get('action') !== 'getPolicy' || !model) throw new Refusal(dashscopeErrors.emptyInput)
    if (!taskModel(model)) throw new Refusal(dashscopeErrors.modelNotExist)
    if (!service.temporary) throw new Refusal(dashscopeErrors.modelAccessDenied)
    const requestId = randomUUID()
    answer(visit, { data: service.temporary.issuePolicy({ model, requestId }), request_id: requestId })
  }

  const doors: { kind: TaskCall['kind']; method: string; path: RegExp; door: Door }[] = [
    {
      kind: 'submit',
      method: 'POST',
      path: /^\/api\/v1\/services\/audio\/asr\/transcription$/,
      door: submit,
    },
    { kind: 'list', method: 'GET', path: /^\/api\/v1\/tasks\/?$/, door: list },
    { kind: 'poll', method: 'GET', path: /^\/api\/v1\/tasks\/([^/]+)$/, door: poll },
    { kind: 'cancel', method: 'POST', path: /^\/api\/v1\/tasks\/([^/]+)\/cancel$/, door: cancel },
    { kind: 'policy', method: 'GET', path: /^\/api\/v1\/uploads$/, door: policy },
  ]

  async function enter(visit: Visit, door: Door, id: string): Promise<void> {
    const { request, response, call } = visit
    try {
      await door(visit, id)
    } catch (error) {
      if (request.socket.destroyed) return
      const refusal = error instanceof Refusal ? error.error : dashscopeErrors.internalError
      call.status = refusal.status
      sendError(request, response, refusal, call.at)
    }
  }

  return {
    records: desk.records,
    calls,
    handle(request, response, url) {
      for (const { kind, method, path, door } of doors) {
        const found = request.method === method ? path.exec(url.pathname) : null
        if (!found) continue
        const id = found[1] ?? ''
        const call: TaskCall = { at: Date.now(), kind, status: 0, ...(id ? { id } : {}) }
        calls.push(call)
        void enter({ request, response, url, call }, door, id)
        return true
      }
      return false
    },
    close: desk.close,
  }
}

const POLL_TYPE = 'application/json;charset=UTF-8'

function answer({ request, response, call }: Omit<Visit, 'url'>, body: object, type?: string): void {
  call.status = 200
  sendJson(request, response, 200, body, call.at, type)
}

function proxyPage(response: ServerResponse, call: TaskCall, status = 502): void {
  call.status = status
  sendProxyPage(response, status)
}

function half(response: ServerResponse, call: TaskCall): void {
  call.status = 200
  response.writeHead(200, { 'content-type': POLL_TYPE }).end('{"request_id":"4d496c94-')
}

/** What a fault looks at where there is no task. */
function subject(model: string | null): TaskRecord {
  return newRecord({ id: '', model: model ?? '', url: '', parameters: undefined })
}
