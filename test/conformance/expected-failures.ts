// Checks that the product does not meet, with the reason: it has none of the suite's tools, prompts and resources.
import { type RequirementSet, requirementSets } from './suite.ts'

export interface Expected {
  reason: string
  /** The sets of requirements in which they fail. */
  sets: readonly RequirementSet[]
  /** Failing checks by the name of their scenario. */
  checks: Record<string, string[]>
}

/** Scenarios that check nothing by the suite's own doing, with the reason. */
export const emptyOfSuite: Record<string, string> = {
  'tasks-status-notifications': 'the suite leaves out its one check in this version',
}

/** The server with the suite's fixtures meets all checks. */
export const expectedOfFixtures: Expected[] = []

const reasons = {
  tasks:
    'no tasks extension: the SDK has no server for it, and a call answers with the id of its job instead',
  tool: 'calls a tool that only the fixtures have',
  prompt: 'asks for a prompt that only the fixtures have',
  resource: 'asks for a resource that only the fixtures have',
  logging: 'logging is deprecated (SEP-2577): the server logs to stderr and declares no such capability',
}

export const expectedOfProduct: Expected[] = [
  {
    reason: reasons.tasks,
    sets: ['2026-07-28'],
    checks: {
      'tasks-capability-negotiation': [
        'tasks-extension-advertised',
        'sep-2663-tasks-methods-non-declaring',
        'sep-2663-server-rejects-undeclared-client',
        'tasks-per-request-meta-opt-in',
      ],
      'tasks-dispatch-and-envelope': [
        'tasks-server-directed-creation-no-hint',
        'sep-2663-legacy-task-param-ignored',
        'tasks-immediate-result-shortcut',
        'tasks-result-type-complete-on-non-task-responses',
        'sep-2663-durable-create-strong-consistency',
        'sep-2663-tasks-get-invalid-task-id-32602',
      ],
      'tasks-lifecycle': [
        'tasks-sync-tool-call',
        'sep-2663-result-type-task-on-create',
        'sep-2663-tasks-get-status-working',
        'sep-2663-tasks-get-status-completed',
        'sep-2663-tool-error-uses-completed-status',
        'sep-2663-tasks-get-status-failed',
        'sep-2663-cancel-ack-empty-result',
        'tasks-cancel-terminal-idempotent-ack',
      ],
      'tasks-mrtr-composition': ['sep-2663-mrtr-synchronous-before-task-creation'],
      'tasks-mrtr-input': [
        'sep-2663-tasks-get-status-input-required',
        'tasks-mrtr-tasks-update-resumes',
        'tasks-mrtr-partial-fulfillment',
      ],
      'tasks-request-headers': [
        'tasks-headers-tolerate-mcp-method-on-tools-call',
        'sep-2663-routing-headers-accepted-on-tasks-get',
        'sep-2663-server-rejects-mismatched-mcp-name-on-tasks-get',
      ],
      'tasks-request-state-removal': ['tasks-request-state-removal-setup'],
      'tasks-required-task-error': ['sep-2663-server-returns-missing-capability-when-required'],
      'tasks-wire-fields': [
        'tasks-wire-field-renames',
        'tasks-no-early-ttl-expiry',
        'tasks-no-related-task-meta-on-inlined-result',
      ],
    },
  },
  {
    reason: reasons.tool,
    sets: requirementSets,
    checks: {
      ...namedAlike(
        'tools-call-audio',
        'tools-call-embedded-resource',
        'tools-call-error',
        'tools-call-image',
        'tools-call-mixed-content',
        'tools-call-simple-text',
        'tools-call-with-progress',
      ),
      'json-schema-2020-12': ['json-schema-2020-12-tool-found'],
    },
  },
  {
    reason: reasons.tool,
    sets: ['2025-11-25'],
    checks: {
      ...namedAlike('tools-call-elicitation', 'tools-call-sampling'),
      'elicitation-sep1034-defaults': ['elicitation-sep1034-general'],
      'elicitation-sep1330-enums': ['elicitation-sep1330-general'],
      'server-sse-polling': ['server-sse-disconnect-resume'],
    },
  },
  {
    reason: reasons.tool,
    sets: ['2026-07-28'],
    checks: {
      'http-custom-header-server-validation': [
        'sep-2243-server-no-xmcp-tool',
        'sep-2243-server-decode-base64',
        'sep-2243-server-validate-param-match',
        'sep-2243-server-reject-invalid-param-chars',
        'sep-2243-server-reject-param-mismatch',
      ],
      'input-required-result-basic-elicitation': ['sep-2322-elicitation-incomplete'],
      'input-required-result-basic-list-roots': ['sep-2322-list-roots-incomplete'],
      'input-required-result-basic-sampling': ['sep-2322-sampling-incomplete'],
      'input-required-result-capability-check': ['sep-2322-respect-client-capabilities'],
      'input-required-result-ignore-extra-params': ['sep-2322-ignore-unexpected-params'],
      'input-required-result-missing-input-response': ['sep-2322-missing-response-rerequests'],
      'input-required-result-multi-round': ['sep-2322-multi-round-r1'],
      'input-required-result-multiple-input-requests': ['sep-2322-multiple-inputs-incomplete'],
      'input-required-result-request-state': ['sep-2322-request-state-incomplete'],
      'input-required-result-result-type': ['sep-2322-result-type-included'],
      'input-required-result-tampered-state': ['sep-2322-reject-tampered-state'],
      'server-stateless': [
        'sep-2575-server-rejects-undeclared-capability',
        'sep-2575-missing-capability-http-400',
        'sep-2575-http-server-no-independent-requests-on-stream',
        'sep-2575-server-no-log-without-loglevel',
      ],
    },
  },
  {
    reason: reasons.prompt,
    sets: requirementSets,
    checks: {
      ...namedAlike(
        'completion-complete',
        'prompts-get-embedded-resource',
        'prompts-get-simple',
        'prompts-get-with-args',
        'prompts-get-with-image',
      ),
    },
  },
  {
    reason: reasons.prompt,
    sets: ['2026-07-28'],
    checks: {
      'input-required-result-non-tool-request': ['sep-2322-non-tool-incomplete'],
    },
  },
  {
    reason: reasons.resource,
    sets: requirementSets,
    checks: {
      ...namedAlike('resources-read-binary', 'resources-read-text', 'resources-templates-read'),
    },
  },
  {
    reason: reasons.resource,
    sets: ['2025-11-25'],
    checks: {
      ...namedAlike('resources-subscribe', 'resources-unsubscribe'),
    },
  },
  {
    reason: reasons.logging,
    sets: ['2025-11-25'],
    checks: {
      ...namedAlike('logging-set-level', 'tools-call-with-logging'),
    },
  },
]

function namedAlike(...scenarios: string[]): Record<string, string[]> {
  return Object.fromEntries(scenarios.map(scenario => [scenario, [scenario]]))
}
