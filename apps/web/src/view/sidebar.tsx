import { useComputed, useSignal } from '@preact/signals';
import type { Book } from '../chat/book.ts';
import type { Conversation } from '../chat/conversation.ts';
import { AccountDialog } from './account-dialog.tsx';
import { Avatar } from './avatar.tsx';
import { useBook, useChat } from './chat-context.ts';
import { ConversationRow } from './conversation-row.tsx';
import { Icon, IconButton } from './icons.tsx';
import { titleOf } from './names.ts';
import { NewChatDialog } from './new-chat-dialog.tsx';

const searchFrom = 8;

/** All groups and direct messages, the one with the newest message first. */
export function Sidebar() {
  const book = useBook();
  const { sending } = useChat();
  const dialog = useSignal<'new' | 'account' | undefined>(undefined);
  const search = useSignal('');
  const found = useComputed(() => sorted(book, search.value));
  const total = book.conversations.value.size;
  const creating = sending.outbox.value.filter((request) => request.type === 'GROUP_CREATE_REQUEST');
  return (
    <nav class="sidebar" aria-label="Chats">
      <header>
        <button type="button" class="account" onClick={() => (dialog.value = 'account')}>
          <Avatar of={book.sid} name={book.notebook.givenName(book.sid)} />
          <span class="unseen">Your account</span>
        </button>
        <h2>Chats</h2>
        <IconButton
          icon="plus"
          label="New chat"
          class="icon-button accent"
          onClick={() => (dialog.value = 'new')}
        />
      </header>
      {total >= searchFrom && (
        <input
          class="search"
          type="search"
          aria-label="Search chats"
          placeholder="Search"
          value={search.value}
          onInput={(event) => (search.value = event.currentTarget.value)}
        />
      )}
      <ul class="conversations">
        {creating.map(({ id, payload }) => (
          <li key={id} class="creating">
            <Icon name="clock" /> Creating {payload.group_name || 'a direct message'} …
          </li>
        ))}
        {found.value.map((conversation) => (
          <ConversationRow key={conversation.id} conversation={conversation} />
        ))}
      </ul>
      {total === 0 && creating.length === 0 && (
        <div class="empty">
          <p>No chats yet.</p>
          <button type="button" class="button" onClick={() => (dialog.value = 'new')}>
            Begin one
          </button>
        </div>
      )}
      {total > 0 && found.value.length === 0 && (
        <p class="empty">No chat has “{search.value}” in its name.</p>
      )}
      {dialog.value === 'new' && <NewChatDialog onClose={() => (dialog.value = undefined)} />}
      {dialog.value === 'account' && <AccountDialog onClose={() => (dialog.value = undefined)} />}
    </nav>
  );
}

function sorted(book: Book, search: string): Conversation[] {
  const words = search.trim().toLocaleLowerCase();
  const all = [...book.conversations.value.values()];
  const found =
    words === '' ? all : all.filter((one) => titleOf(book, one).toLocaleLowerCase().includes(words));
  return found.sort((a, b) => newness(b).localeCompare(newness(a)) || b.id - a.id);
}

/** A group without messages is as new as itself. Times in ISO 8601 compare as texts. */
function newness({ last, group }: Conversation): string {
  return last.value?.date_created ?? group.value.date_created;
}
