import { useState } from 'preact/hooks';
import type { Conversation } from '../chat/conversation.ts';
import { showSid } from '../phone.ts';
import { Avatar } from './avatar.tsx';
import { useBook, useChat } from './chat-context.ts';
import { Dialog } from './dialog.tsx';
import { Icon } from './icons.tsx';
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
      <Leaving conversation={conversation} onLeave={onClose} />
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
        <form
          onSubmit={(event) => {
            event.preventDefault();
            notebook.setName(sid, String(new FormData(event.currentTarget).get('name')));
            setIsNaming(false);
          }}
        >
          <input name="name" aria-label={label} defaultValue={name} ref={(input) => input?.focus()} />
          <button type="submit" class="quiet">
            Save
          </button>
        </form>
      ) : (
        <>
          <span class="who">
            {sid === book.sid ? 'You' : notebook.nameOf(sid)}
            {(name !== '' || sid === book.sid) && <span class="hint">{showSid(sid)}</span>}
          </span>
          {sid !== book.sid && (
            <button type="button" class="icon-button" aria-label={label} onClick={() => setIsNaming(true)}>
              <Icon name="pencil" />
            </button>
          )}
        </>
      )}
    </li>
  );
}

type LeavingProps = {
  readonly conversation: Conversation;
  readonly onLeave: () => void;
};

/** Asks once more: a user who comes back later has none of the messages in between. */
function Leaving({ conversation, onLeave }: LeavingProps) {
  const { sending } = useChat();
  const [isAsking, setIsAsking] = useState(false);
  const isOver = conversation.isOver.value;
  const leave = () => {
    onLeave();
    sending.leave(conversation.id);
  };
  if (!isAsking) {
    return (
      <button type="button" class="button danger" onClick={() => setIsAsking(true)}>
        {isOver ? 'Remove this chat' : 'Leave'}
      </button>
    );
  }
  return (
    <div role="alert">
      <p>The messages of this chat will be removed from this browser.</p>
      <button type="button" class="button danger" onClick={leave}>
        {isOver ? 'Remove it' : 'Leave and remove'}
      </button>
    </div>
  );
}
