// A hundred common English words for generated texts.
export const vocabulary = (
  'time people way day man thing woman life child world school state family student group country problem hand part ' +
  'place case week company system program question work government number night point home water room mother area ' +
  'money story fact month lot right study book eye job word business issue side kind head house service friend'
).split(' ')
