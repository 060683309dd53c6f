// Takes the place of the SDK's defaults for Node in the build, without their validator of JSON Schema: an eighth of the
// bundle, loaded with every start, for answers of users that this server never asks for.
/** To import it would read all of its properties, and open three streams. */
export const process = globalThis.process

export class DefaultJsonSchemaValidator {
  getValidator(): never {
    throw new Error('The build leaves out the validator of JSON Schema: see scripts/build.mjs.')
  }
}
