// Which WebAssembly V8 may optimise: only what asks for it.
import { setFlagsFromString } from 'node:v8'

/** The part of WebAssembly that is used: the types of Node lack it. */
interface WebAssemblyGlobal {
  WebAssembly: {
    Module: new (program: Uint8Array) => object
    instantiate(module: object): Promise<{ exports: unknown }>
  }
}

/**
 * For the whole process, and modules that are compiled from now on. The HTTP parser of undici is one large function:
 * V8 takes 24 MB to optimise it, and answers of a few kB gain nothing.
 */
export function optimiseNoWebAssembly(): void {
  setFlagsFromString('--no-wasm-dynamic-tiering')
  setFlagsFromString('--no-wasm-tier-up')
}

/** Instantiates a module that V8 optimises when it is used much. Throws where WebAssembly, or a feature, is missing. */
export async function instantiateOptimised(program: Uint8Array): Promise<unknown> {
  const { WebAssembly } = globalThis as unknown as WebAssemblyGlobal
  setFlagsFromString('--wasm-tier-up')
  setFlagsFromString('--wasm-dynamic-tiering')
  try {
    const module = new WebAssembly.Module(program)
    return (await WebAssembly.instantiate(module)).exports
  } finally {
    optimiseNoWebAssembly()
  }
}
