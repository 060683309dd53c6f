// Checks that the product does not meet, with the reason: it has none of the suite's tools, prompts and resources.

export interface Expected {
  reason: string
  /** Failing checks by the name of their scenario; `any` where the number of them says nothing. */
  checks: Record<string, string[] | 'any'>
}

/** An extension that the suite runs and does not score. `tasks-status-notifications` is empty in this version. */
const withoutTasks: Expected = {
  reason:
    'no tasks extension: the SDK has no server for it, and a call answers with the id of its job instead',
  checks: Object.fromEntries(
    [
      'lifecycle',
      'capability-negotiation',
      'wire-fields',
      'request-state-removal',
      'mrtr-input',
      'request-headers',
      'dispatch-and-envelope',
      'required-task-error',
      'mrtr-composition',
    ].map(name => [`tasks-${name}`, 'any']),
  ),
}

/** The server with the suite's fixtures meets all checks. */
export const expectedOfFixtures: Expected[] = []

export const expectedOfProduct: Expected[] = [
  withoutTasks,
  {
    reason: 'calls a tool that only the fixtures have',
    checks: {
      ...namedAlike(
        'tools-call-simple-text',
        'tools-call-image',
        'tools-call-audio',
        'tools-call-embedded-resource',
        'tools-call-mixed-content',
        'tools-call-error',
        'tools-call-with-progress',
        'tools-call-sampling',
        'tools-call-elicitation',
      ),
      'elicitation-sep1034-defaults': ['elicitation-sep1034-general'],
      'elicitation-sep1330-enums': ['elicitation-sep1330-general'],
      'json-schema-2020-12': ['json-schema-2020-12-tool-found'],
      'server-sse-polling': ['server-sse-disconnect-resume'],
      'server-stateless': [
        'sep-2575-server-rejects-undeclared-capability',
        'sep-2575-missing-capability-http-400',
        'sep-2575-http-server-no-independent-requests-on-stream',
        'sep-2575-server-no-log-without-loglevel',
      ],
      'input-required-result-basic-elicitation': ['sep-2322-elicitation-incomplete'],
      'input-required-result-basic-sampling': ['sep-2322-sampling-incomplete'],
      'input-required-result-basic-list-roots': ['sep-2322-list-roots-incomplete'],
      'input-required-result-request-state': ['sep-2322-request-state-incomplete'],
      'input-required-result-multiple-input-requests': ['sep-2322-multiple-inputs-incomplete'],
      'input-required-result-multi-round': ['sep-2322-multi-round-r1'],
      'input-required-result-missing-input-response': ['sep-2322-missing-response-rerequests'],
      'input-required-result-result-type': ['sep-2322-result-type-included'],
      'input-required-result-tampered-state': ['sep-2322-reject-tampered-state'],
      'input-required-result-capability-check': ['sep-2322-respect-client-capabilities'],
      'input-required-result-ignore-extra-params': ['sep-2322-ignore-unexpected-params'],
      'http-custom-header-server-validation': [
        'sep-2243-server-no-xmcp-tool',
        'sep-2243-server-decode-base64',
        'sep-2243-server-validate-param-match',
        'sep-2243-server-reject-invalid-param-chars',
        'sep-2243-server-reject-param-mismatch',
      ],
    },
  },
  {
    reason: 'asks for a prompt that only the fixtures have',
    checks: {
      ...namedAlike(
        'completion-complete',
        'prompts-get-simple',
        'prompts-get-with-args',
        'prompts-get-embedded-resource',
        'prompts-get-with-image',
      ),
      'input-required-result-non-tool-request': ['sep-2322-non-tool-incomplete'],
    },
  },
  {
    reason: 'asks for a resource that only the fixtures have',
    checks: namedAlike(
      'resources-read-text',
      'resources-read-binary',
      'resources-templates-read',
      'resources-subscribe',
      'resources-unsubscribe',
    ),
  },
  {
    reason: 'logging is deprecated (SEP-2577): the server logs to stderr and declares no such capability',
    checks: namedAlike('logging-set-level', 'tools-call-with-logging'),
  },
]

function namedAlike(...scenarios: string[]): Record<string, string[]> {
  return Object.fromEntries(scenarios.map(scenario => [scenario, [scenario]]))
}
