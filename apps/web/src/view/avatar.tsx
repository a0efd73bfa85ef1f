import { Icon } from './icons.tsx';

const hues = ['#4f46b8', '#0f6e66', '#a33a5c', '#8a4b10', '#2a63a8', '#6b4a9e', '#42702a', '#9a3d2e'];

/** A coloured disc: the same for the same key. */
export function Avatar({ of, name }: { readonly of: string; readonly name: string }) {
  const letters = initials(name);
  return (
    <span class="avatar" style={{ background: hueOf(of) }} aria-hidden="true">
      {letters === '' ? <Icon name="person" /> : letters}
    </span>
  );
}

/** Of up to two words; a number has none. */
function initials(name: string): string {
  const words = name.match(/\p{L}[\p{L}\p{M}’']*/gu) ?? [];
  return words
    .slice(0, 2)
    .map((word) => [...word][0]?.toUpperCase())
    .join('');
}

function hueOf(key: string): string | undefined {
  let hash = 7;
  for (const character of key) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 9973;
  return hues[hash % hues.length];
}
