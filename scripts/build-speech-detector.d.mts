/** SHA-256 of silero-weights.bin. */
export declare const weightsHash: string
/** The bytes of silero.wasm, compiled from its source. Rejects where that does not compile. */
export declare function compileDetector(): Promise<Buffer>
/** SHA-256 in hexadecimal digits. */
export declare function hashOf(bytes: Uint8Array): string
/** The bytes of silero-weights.bin, from the ONNX file of the model. */
export declare function weightsOf(model: Uint8Array): Buffer
