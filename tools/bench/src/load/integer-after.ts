/** The digits behind the next `key` in a text, as a number. @throws Error when there are none */
export function integerAfter(text: string, key: string, from: number): number {
  const found = text.indexOf(key, from);
  let at = found + key.length;
  let value = 0;
  for (let digit = text.charCodeAt(at) - 48; digit >= 0 && digit <= 9; digit = text.charCodeAt(at) - 48) {
    value = value * 10 + digit;
    at += 1;
  }
  if (found < 0 || at === found + key.length) throw new Error(`no ${key} in ${text.slice(from, from + 200)}`);
  return value;
}
