import { useId, useState } from 'preact/hooks';
import { parsePhone, sidOf } from '../phone.ts';
import { useBook } from './chat-context.ts';
import { Field } from './field.tsx';

interface PersonPickerProps {
  /** Who is there already. */
  readonly taken: readonly string[];
  readonly onPick: (sid: string) => void;
  /** Set to what picks the number that is written but was not added: false when there is something wrong with it. */
  readonly pending?: { current: () => string | undefined | false };
}

/** Takes a number, or the name of somebody who is in one of the chats. */
export function PersonPicker({ taken, onPick, pending }: PersonPickerProps) {
  const book = useBook();
  const listId = useId();
  const [text, setText] = useState('');
  const [error, setError] = useState('');
  const known = new Set([...book.conversations.value.values()].flatMap(({ others }) => others));
  const choosable = [...known].filter((sid) => !taken.includes(sid));
  const pick = () => {
    const number = parsePhone(text);
    const sid = number
      ? sidOf(number)
      : choosable.find((one) => book.notebook.givenName(one) === text.trim());
    const fault =
      sid === undefined
        ? 'Begin with + and the country code, such as +1 555 0100.'
        : taken.includes(sid)
          ? whoIsTaken(sid === book.sid)
          : '';
    setError(fault);
    if (sid === undefined || fault !== '') return false;
    setText('');
    onPick(sid);
    return sid;
  };
  if (pending) pending.current = () => (text.trim() === '' ? undefined : pick());
  return (
    <form
      class="picker"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        pick();
      }}
    >
      <Field
        label="Phone number"
        type="tel"
        placeholder="+1 555 0100"
        list={listId}
        value={text}
        error={error}
        onInput={setText}
      />
      <datalist id={listId}>
        {choosable.map((sid) => (
          <option key={sid} value={book.notebook.nameOf(sid)} />
        ))}
      </datalist>
      <button type="submit" class="button second">
        Add
      </button>
    </form>
  );
}

function whoIsTaken(isOneself: boolean): string {
  return isOneself ? 'That is you.' : 'They are in already.';
}
