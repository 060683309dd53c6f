// What the store in Tablestore has to be told.

export interface TablestoreOptions {
  endpoint: string
  /** Absent: the first part of the endpoint's host. */
  instance?: string
  /** How the names of the tables begin. */
  prefix: string
  key: { accessKeyId: string; accessKeySecret: string; securityToken?: string }
  /** Days after which what was not changed is forgotten; absent: never. */
  retentionDays?: number
  /** Seconds before a second attempt, and for all attempts at one thing. */
  firstDelaySeconds?: number
  timeoutSeconds?: number
}
