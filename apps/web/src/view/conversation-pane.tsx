import { useSignalEffect } from '@preact/signals';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Conversation } from '../chat/conversation.ts';
import { isVisible } from '../page.ts';
import { goTo, openGroup, pathOf } from '../route.ts';
import { Avatar } from './avatar.tsx';
import { useBook, useChat } from './chat-context.ts';
import { Composer } from './composer.tsx';
import { isComposing } from './composing.ts';
import { Icon, IconButton } from './icons.tsx';
import { MembersDialog } from './members-dialog.tsx';
import { MessageList } from './message-list.tsx';
import { faceOf, titleOf } from './names.ts';

/** The open conversation. */
export function ConversationPane({ conversation }: { readonly conversation: Conversation }) {
  const chat = useChat();
  const book = useBook();
  const [isShowingMembers, setIsShowingMembers] = useState(false);
  const heading = useRef<HTMLHeadingElement>(null);
  const title = titleOf(book, conversation);
  const { is_direct_message, member_sids } = conversation.group.value;
  const isOver = conversation.isOver.value;
  useLayoutEffect(() => {
    // A phone would cover half of the messages with its keyboard.
    if (matchMedia('(pointer: coarse)').matches || isOver) heading.current?.focus();
  }, [isOver]);
  useSignalEffect(() => {
    if (conversation.unread.value > 0 && isVisible.value && openGroup.value === conversation.id) {
      void chat.markRead(conversation.id);
    }
  });
  return (
    <section
      class="pane"
      aria-label={title}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || isShowingMembers || isComposing(event)) return;
        const row = document.querySelector<HTMLElement>(`a[href="${pathOf(conversation.id)}"]`);
        goTo(undefined);
        // Where the pane covers the list, the list has yet to be shown.
        requestAnimationFrame(() => row?.focus());
      }}
    >
      <header>
        <a class="icon-button back" href={pathOf(undefined)} aria-label="All chats">
          <Icon name="back" />
        </a>
        <Avatar of={faceOf(conversation)} name={title.startsWith('+') ? '' : title} />
        <div class="heading">
          <h2 ref={heading} tabIndex={-1}>
            {title}
          </h2>
          <p>{is_direct_message ? 'Direct message' : `${member_sids.length} people`}</p>
        </div>
        <IconButton icon="people" label="People" onClick={() => setIsShowingMembers(true)} />
      </header>
      <MessageList conversation={conversation} />
      {isOver ? (
        <p class="over">This chat is over: you, or everybody else, have left it.</p>
      ) : (
        <Composer groupId={conversation.id} />
      )}
      {isShowingMembers && (
        <MembersDialog conversation={conversation} onClose={() => setIsShowingMembers(false)} />
      )}
    </section>
  );
}
