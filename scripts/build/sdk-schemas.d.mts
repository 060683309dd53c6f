/** `source`: of the MCP SDK's part that makes schemas. Throws if it does not look as expected. */
export declare function onFirstUse(source: string): string
