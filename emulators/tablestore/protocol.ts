// The protocol's messages, taken from the client library and loaded on first use.
import { createRequire } from 'node:module'
import { invalid } from './errors.ts'

interface MessageType {
  decode(bytes: Uint8Array): object
  encode(message: object): { finish(): Uint8Array }
  fromObject(plain: object): object
}

type Space = 'main' | 'filter' | 'search'
type Library = Record<Space, { proto: Record<string, MessageType | undefined> }>

let library: Library | undefined

// Loading takes 0.2 s, so it is deferred.
function typeOf(space: Space, name: string): MessageType {
  library ??= createRequire(import.meta.url)(
    'tablestore/lib/protocol/tablestore_compiled_proto.js',
  ) as Library
  const type = library[space].proto[name]
  if (!type) throw new Error(`The protocol has no message ${name}.`)
  return type
}

/** Decodes a message. Throws `OTSParameterInvalid` if it is malformed. */
export function decode<T>(space: Space, name: string, bytes: Uint8Array): T {
  try {
    return typeOf(space, name).decode(bytes) as T
  } catch {
    throw invalid('Parse PBMessage from RawString failed.')
  }
}

export function encode(space: Space, name: string, plain: object): Buffer {
  const type = typeOf(space, name)
  return Buffer.from(type.encode(type.fromObject(plain)).finish())
}

/** True if a field of a decoded message was sent; others have defaults. */
export function has<T extends object>(message: T, field: keyof T): boolean {
  return Object.hasOwn(message, field)
}
