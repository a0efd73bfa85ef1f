/**
 * Whether a key belongs to an input method, which composes a character of several: then Enter takes a suggestion and
 * sends nothing. Safari ends the composition before the key that ended it is told, with the old code 229.
 */
export function isComposing({ isComposing, keyCode }: KeyboardEvent): boolean {
  return isComposing || keyCode === 229;
}
