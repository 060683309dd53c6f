// Tells the reader which model has answered where the first one of a list is not available.

/** `replaced`: at least one name. */
export function successorWarning(model: string, replaced: string[]): string {
  const names = [...new Set(replaced)]
  return `${model} answered in place of ${names.join(' and ')}, which ${names.length > 1 ? 'are' : 'is'} not available.`
}
