// The messages of the protocol, borrowed from the client library and loaded when they are first needed.
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

// A fifth of a second of loading that nobody should wait for who starts no stand-in.
function typeOf(space: Space, name: string): MessageType {
  library ??= createRequire(import.meta.url)(
    'tablestore/lib/protocol/tablestore_compiled_proto.js',
  ) as Library
  const type = library[space].proto[name]
  if (!type) throw new Error(`The protocol has no message ${name}.`)
  return type
}

/** A message; throws `OTSParameterInvalid` where it is none. */
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

/** Of a decoded message: whether the field came, as those that did not have a default. */
export function has<T extends object>(message: T, field: keyof T): boolean {
  return Object.hasOwn(message, field)
}
