/**
 * Whether a text has at most `max` characters, counted as Unicode code points, as people (and JSON Schema's
 * `maxLength`) count them. Looks at no more of the text than it must.
 */
export function hasAtMostCharacters(text: string, max: number): boolean {
  if (text.length <= max) return true;
  if (text.length > 2 * max) return false;
  let count = 0;
  for (const _ of text) count += 1;
  return count <= max;
}
