import { useId, useState } from 'preact/hooks';
import { countryOfSid, readPhone, showSid, sidOf } from '../phone.ts';
import { asName } from '../typed.ts';
import { useBook } from './chat-context.ts';
import { CountrySelect } from './country-select.tsx';
import { Field } from './field.tsx';
import { Form } from './form.tsx';
import { phoneHint, phoneWanted } from './phone-hint.ts';

type UserPickerProps = {
  /** The members that are there already. */
  readonly taken: readonly string[];
  readonly onPick: (sid: string) => void;
  /** Set to what picks the number that is written but was not added: false when there is something wrong with it. */
  readonly pending?: { current: () => string | undefined | false };
};

/** Picks a user by a number, or by the name of a member of one of the chats. */
export function UserPicker({ taken, onPick, pending }: UserPickerProps) {
  const book = useBook();
  const listId = useId();
  const [text, setText] = useState('');
  const [country, setCountry] = useState(() => countryOfSid(book.sid, navigator.languages));
  const [error, setError] = useState('');
  const known = new Set([...book.conversations.value.values()].flatMap(({ others }) => others));
  const choosable = [...known].filter((sid) => !taken.includes(sid));
  const name = asName(text);
  const named = name === '' ? undefined : choosable.find((one) => book.notebook.nameOf(one) === name);
  const reading = readPhone(text, country);
  const pick = () => {
    const sid = named ?? (reading.kind === 'number' ? sidOf(reading.number) : undefined);
    const fault =
      sid === undefined
        ? reading.kind === 'fault'
          ? reading.text
          : phoneWanted
        : taken.includes(sid)
          ? takenText(sid === book.sid)
          : '';
    setError(fault);
    if (sid === undefined || fault !== '') return false;
    setText('');
    onPick(sid);
    return sid;
  };
  if (pending) pending.current = () => (reading.kind === 'nothing' ? undefined : pick());
  return (
    <Form class="picker" onSubmit={pick}>
      <CountrySelect country={country} onChange={setCountry} />
      <Field
        label="Phone number"
        type="tel"
        placeholder="+1 555 0100"
        list={listId}
        value={text}
        error={error}
        hint={named === undefined ? phoneHint(reading) : `Dials ${showSid(named)}.`}
        onInput={(typed) => {
          setText(typed);
          setError('');
        }}
      />
      <datalist id={listId}>
        {choosable.map((sid) => (
          <option key={sid} value={book.notebook.nameOf(sid)} />
        ))}
      </datalist>
      <button type="submit" class="button second">
        Add
      </button>
    </Form>
  );
}

function takenText(isOneself: boolean): string {
  return isOneself ? 'That is you.' : 'They are in already.';
}
