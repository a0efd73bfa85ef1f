import { signal } from '@preact/signals';
import { showSid } from '../phone.ts';
import { asName } from '../typed.ts';

/** What a browser that refuses `localStorage`, or has no room there, is asked to keep: as long as the page lasts. */
const memory = new Map<string, string>();

/**
 * Small things that a user writes down here and the server never sees: names of other people, and drafts. In
 * `localStorage`, because what was typed has to be there however suddenly the page goes.
 */
export class Notebook {
  readonly #prefix: string;
  readonly #names;

  constructor(url: string, sid: string) {
    this.#prefix = `hooligram notebook ${url} ${sid} `;
    this.#names = signal(parseNames(this.#read('names')));
  }

  /** The name that the user gave, else the number. */
  nameOf(sid: string): string {
    return this.#names.value[sid] ?? showSid(sid);
  }

  /** '' where there is none. */
  givenName(sid: string): string {
    return this.#names.value[sid] ?? '';
  }

  /** A name that shows nothing takes the given one away. */
  setName(sid: string, typed: string): void {
    const name = asName(typed);
    const { [sid]: _before, ...others } = this.#names.value;
    this.#names.value = name === '' ? others : { ...others, [sid]: name };
    this.#write('names', JSON.stringify(this.#names.value));
  }

  draftOf(groupId: number): string {
    return this.#read(`draft ${groupId}`);
  }

  setDraft(groupId: number, text: string): void {
    this.#write(`draft ${groupId}`, text);
  }

  forget(): void {
    for (const key of memory.keys()) if (key.startsWith(this.#prefix)) memory.delete(key);
    try {
      for (const key of Object.keys(localStorage)) {
        if (key.startsWith(this.#prefix)) localStorage.removeItem(key);
      }
    } catch {
      // Nothing was kept there.
    }
  }

  #read(key: string): string {
    const name = this.#prefix + key;
    try {
      return memory.get(name) ?? localStorage.getItem(name) ?? '';
    } catch {
      return '';
    }
  }

  #write(key: string, text: string): void {
    const name = this.#prefix + key;
    // What is here comes before what is there, which may be older.
    memory.set(name, text);
    try {
      if (text === '') localStorage.removeItem(name);
      else localStorage.setItem(name, text);
      memory.delete(name);
    } catch {
      // It is in memory.
    }
  }
}

function parseNames(text: string): Readonly<Record<string, string>> {
  try {
    return JSON.parse(text || '{}');
  } catch {
    return {};
  }
}
