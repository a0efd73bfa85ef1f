import { signal } from '@preact/signals';
import { showSid } from '../phone.ts';
import { asName } from '../typed.ts';

/**
 * Small things that a person writes down here and the server never sees: names of other people, and drafts. In
 * `localStorage`, because what was typed has to be there however suddenly the page goes.
 */
export class Notebook {
  readonly #prefix: string;
  readonly #names;

  constructor(url: string, sid: string) {
    this.#prefix = `hooligram notebook ${url} ${sid} `;
    this.#names = signal(JSON.parse(this.#read('names') || '{}') as Readonly<Record<string, string>>);
  }

  /** The name that the person gave, else the number. */
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
    for (const key of Object.keys(localStorage)) {
      if (key.startsWith(this.#prefix)) localStorage.removeItem(key);
    }
  }

  #read(key: string): string {
    return localStorage.getItem(this.#prefix + key) ?? '';
  }

  #write(key: string, text: string): void {
    if (text === '') localStorage.removeItem(this.#prefix + key);
    else localStorage.setItem(this.#prefix + key, text);
  }
}
