// Chooses what V8 may optimise of WebAssembly: only what asks for it.
import { setFlagsFromString } from 'node:v8'

/** The part of WebAssembly that is used: the types of Node lack it. */
interface WebAssemblyGlobal {
  WebAssembly: {
    Module: new (program: Uint8Array) => object
    Instance: new (module: object) => { exports: unknown }
  }
}

let isOptimised = true

/**
 * For the whole process, and modules that are compiled from now on. The HTTP parser of undici is one large function:
 * V8 takes 24 MB to optimise it, and answers of a few kB gain nothing.
 */
export function optimiseNoWebAssembly(): void {
  isOptimised = false
  setFlagsFromString('--no-wasm-dynamic-tiering')
  setFlagsFromString('--no-wasm-tier-up')
  setFlagsFromString('--wasm-lazy-compilation')
}

/** Instantiates a module that V8 optimises when it is used much. Throws where WebAssembly, or a feature, is missing. */
export function instantiateOptimised(program: Uint8Array): unknown {
  const { WebAssembly } = globalThis as unknown as WebAssemblyGlobal
  const instantiate = () => new WebAssembly.Instance(new WebAssembly.Module(program)).exports
  if (isOptimised) return instantiate()
  setFlagsFromString('--wasm-tier-up')
  setFlagsFromString('--wasm-dynamic-tiering')
  // Node 24 reads the others when it compiles a function, which would be at its first call.
  setFlagsFromString('--no-wasm-lazy-compilation')
  try {
    return instantiate()
  } finally {
    optimiseNoWebAssembly()
  }
}
