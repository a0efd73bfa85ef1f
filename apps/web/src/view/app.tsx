import { useSignalEffect } from '@preact/signals';
import { openGroup } from '../route.ts';
import { Banner } from './banner.tsx';
import { useChat } from './chat-context.ts';
import { ConversationPane } from './conversation-pane.tsx';
import { Icon } from './icons.tsx';
import { Notice } from './notice.tsx';
import { Sidebar } from './sidebar.tsx';
import { SignIn } from './sign-in.tsx';
import { StorageNote } from './storage-note.tsx';

export function App() {
  const chat = useChat();
  useSignalEffect(() => {
    const count = chat.unread.value;
    document.title = count > 0 ? `(${count}) Hooligram` : 'Hooligram';
  });
  const book = chat.book.value;
  return (
    <>
      <Banner />
      <StorageNote />
      {book ? <Chats /> : <SignIn />}
      <Notice />
      {/* Says to a screen reader what others see arrive. */}
      <div class="unseen" role="status" aria-label="New messages">
        {chat.announcement}
      </div>
    </>
  );
}

function Chats() {
  const chat = useChat();
  const book = chat.book.value;
  const id = openGroup.value;
  const conversation = id === undefined ? undefined : book?.conversations.value.get(id);
  return (
    <main class={conversation ? 'chats is-open' : 'chats'}>
      <h1 class="unseen">Hooligram</h1>
      <Sidebar />
      {conversation ? (
        // Another conversation is another pane: nothing of the one before stays.
        <ConversationPane key={conversation.id} conversation={conversation} />
      ) : (
        <section class="nothing-open" aria-label="No chat is open">
          <Icon name="people" />
          <p>Choose a chat, or begin a new one.</p>
        </section>
      )}
    </main>
  );
}
