// The part of the library that archives need. The bundler cannot leave out the rest where a package itself is loaded on
// demand.
export { Zip, ZipDeflate } from 'fflate'
