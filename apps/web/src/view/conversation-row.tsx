import type { Conversation } from '../chat/conversation.ts';
import { openGroup, pathOf } from '../route.ts';
import { Avatar } from './avatar.tsx';
import { useBook, useChat } from './chat-context.ts';
import { faceOf, shortSenderOf, titleOf, whenOf } from './names.ts';

/** One line of the list. Drawn anew only when its own conversation changes. */
export function ConversationRow({ conversation }: { readonly conversation: Conversation }) {
  const book = useBook();
  const { sending } = useChat();
  const title = titleOf(book, conversation);
  const unread = conversation.unread.value;
  const last = conversation.last.value;
  const waiting = sending.messagesTo(conversation.id).at(-1);
  const isDirect = conversation.group.value.is_direct_message;
  return (
    <li>
      <a
        class={unread > 0 ? 'conversation has-unread' : 'conversation'}
        href={pathOf(conversation.id)}
        aria-current={openGroup.value === conversation.id ? 'page' : undefined}
      >
        <Avatar of={faceOf(conversation)} name={isDirect ? givenNameOf(title) : title} />
        <span class="title">{title}</span>
        {last && <time dateTime={last.date_created}>{whenOf(last.date_created)}</time>}
        <span class="preview">
          {conversation.isOver.value && <em>Over. </em>}
          {waiting && <em>Sending: </em>}
          {waiting
            ? waiting.payload.content
            : last
              ? `${isDirect && last.sender_sid !== book.sid ? '' : `${shortSenderOf(book, last.sender_sid)}: `}${last.content}`
              : 'No messages yet'}
        </span>
        {unread > 0 && (
          <span class="unread">
            {unread > 999 ? '999+' : unread}
            <span class="unseen"> unread</span>
          </span>
        )}
      </a>
    </li>
  );
}

/** A number has no initials. */
function givenNameOf(title: string): string {
  return title.startsWith('+') ? '' : title;
}
