import { useState } from 'preact/hooks';
import type { Conversation } from '../chat/conversation.ts';
import { showSid } from '../phone.ts';
import { Avatar } from './avatar.tsx';
import { useBook, useChat } from './chat-context.ts';
import { Confirm } from './confirm.tsx';
import { Dialog } from './dialog.tsx';
import { Form } from './form.tsx';
import { Icon, IconButton } from './icons.tsx';
import { titleOf } from './names.ts';
import { UserPicker } from './user-picker.tsx';

type MembersDialogProps = {
  readonly conversation: Conversation;
  readonly onClose: () => void;
};

/** The members of a conversation; names for them; adding one; leaving. */
export function MembersDialog({ conversation, onClose }: MembersDialogProps) {
  const { sending } = useChat();
  const book = useBook();
  const { member_sids, is_direct_message } = conversation.group.value;
  const isOver = conversation.isOver.value;
  const adding = sending.outbox.value.flatMap(({ type, payload }) =>
    type === 'GROUP_ADD_MEMBER_REQUEST' && payload.group_id === conversation.id ? [payload.member_sid] : [],
  );
  return (
    <Dialog title={titleOf(book, conversation)} onClose={onClose}>
      <ul class="members" aria-label="People">
        {member_sids.map((sid) => (
          <Member key={sid} sid={sid} />
        ))}
        {adding
          .filter((sid) => !member_sids.includes(sid))
          .map((sid) => (
            <li key={sid} class="hint">
              <Icon name="clock" /> Adding {book.notebook.nameOf(sid)} …
            </li>
          ))}
      </ul>
      {!is_direct_message && !isOver && (
        <UserPicker taken={member_sids} onPick={(sid) => sending.add(conversation.id, sid)} />
      )}
      <Confirm
        label={isOver ? 'Remove this chat' : 'Leave'}
        answer={isOver ? 'Remove it' : 'Leave and remove'}
        onConfirm={() => {
          onClose();
          sending.leave(conversation.id);
        }}
      >
        The messages of this chat will be removed from this browser.
      </Confirm>
    </Dialog>
  );
}

function Member({ sid }: { readonly sid: string }) {
  const book = useBook();
  const { notebook } = book;
  const [isNaming, setIsNaming] = useState(false);
  const name = notebook.givenName(sid);
  const label = `Name for ${showSid(sid)}`;
  return (
    <li>
      <Avatar of={sid} name={name} />
      {isNaming ? (
        <Form
          isFocused
          onSubmit={(entries) => {
            notebook.setName(sid, String(entries.get('name')));
            setIsNaming(false);
          }}
        >
          <input name="name" aria-label={label} defaultValue={name} />
          <button type="submit" class="quiet">
            Save
          </button>
        </Form>
      ) : (
        <>
          <span class="who">
            {sid === book.sid ? 'You' : notebook.nameOf(sid)}
            {(name !== '' || sid === book.sid) && <span class="hint">{showSid(sid)}</span>}
          </span>
          {sid !== book.sid && <IconButton icon="pencil" label={label} onClick={() => setIsNaming(true)} />}
        </>
      )}
    </li>
  );
}
