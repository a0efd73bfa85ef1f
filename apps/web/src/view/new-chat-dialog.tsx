import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { asName, charactersOf } from '../typed.ts';
import { useBook, useChat } from './chat-context.ts';
import { Dialog } from './dialog.tsx';
import { Field } from './field.tsx';
import { Form } from './form.tsx';
import { IconButton } from './icons.tsx';
import { UserPicker } from './user-picker.tsx';

const nameCharactersMax = 100;

/** With one other user it is a direct message, for ever; with more a group, which has a name. */
export function NewChatDialog({ onClose }: { readonly onClose: () => void }) {
  const { sending } = useChat();
  const book = useBook();
  const [sids, setSids] = useState<readonly string[]>([]);
  const [name, setName] = useState('');
  const [error, setError] = useState('');
  const pending = useRef<() => string | undefined | false>(() => undefined);
  const isGroup = sids.length > 1;
  const groupName = asName(name);
  const tooMany = charactersOf(groupName) - nameCharactersMax;
  useLayoutEffect(() => document.querySelector<HTMLElement>('dialog .picker input')?.focus(), []);
  const create = () => {
    const written = pending.current();
    if (written === false) return;
    const all = written === undefined ? sids : [...sids, written];
    if (all.length === 0) return setError('Add somebody first.');
    if (all.length > 1 && groupName === '') return setError('A group needs a name that can be seen.');
    if (all.length > 1 && tooMany > 0) return;
    sending.create(all.length > 1 ? groupName : '', all);
    onClose();
  };
  return (
    <Dialog title="New chat" onClose={onClose}>
      <UserPicker
        pending={pending}
        taken={[book.sid, ...sids]}
        onPick={(sid) => {
          setSids([...sids, sid]);
          setError('');
        }}
      />
      {sids.length > 0 && (
        <ul class="chips" aria-label="Who will be in it">
          {sids.map((sid) => (
            <li key={sid} class="chip">
              {book.notebook.nameOf(sid)}
              <IconButton
                icon="close"
                label={`Take ${book.notebook.nameOf(sid)} out`}
                onClick={() => setSids(sids.filter((other) => other !== sid))}
              />
            </li>
          ))}
        </ul>
      )}
      <Form onSubmit={create}>
        {isGroup && (
          <Field
            label="Name of the group"
            value={name}
            error={
              tooMany > 0
                ? `That is ${tooMany === 1 ? '1 character' : `${tooMany} characters`} too long.`
                : error
            }
            onInput={(typed) => {
              setName(typed);
              setError('');
            }}
          />
        )}
        {!isGroup && error !== '' && (
          <p class="error" role="alert">
            {error}
          </p>
        )}
        <button type="submit" class="button">
          {isGroup ? 'Create the group' : 'Begin the chat'}
        </button>
      </Form>
    </Dialog>
  );
}
