import { useComputed, useSignalEffect } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Conversation } from '../chat/conversation.ts';
import { Bubble } from './bubble.tsx';
import { useBook, useChat } from './chat-context.ts';
import { IconButton } from './icons.tsx';
import { linesOf } from './lines.ts';

/** So near to an end, it counts as reached. */
const nearPixels = 80;

/** The messages, then those that wait, then those that were refused; the newest at the bottom, and in sight. */
export function MessageList({ conversation }: { readonly conversation: Conversation }) {
  const { sending } = useChat();
  const book = useBook();
  const lines = useComputed(() =>
    linesOf(
      book.sid,
      conversation.messages.value,
      conversation.unkept.value,
      sending.messagesTo(conversation.id),
      book.refused.value.filter(({ groupId }) => groupId === conversation.id),
    ),
  );
  const scroll = useScroll(conversation, lines.value.at(-1)?.key, lines.value[0]?.key);
  return (
    <div class="messages-place">
      <section
        class="messages"
        ref={scroll.box}
        onScroll={scroll.onScroll}
        aria-label="Messages"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached with the keyboard
        tabIndex={0}
      >
        {conversation.hasOlder.value && (
          <button type="button" class="quiet older" onClick={() => conversation.loadOlder()}>
            Older messages
          </button>
        )}
        {lines.value.length === 0 && <p class="empty">Say something: nobody has yet.</p>}
        <ol>
          {lines.value.map((line) =>
            line.kind === 'day' ? (
              <li key={line.key} class="day">
                <span>{line.text}</span>
              </li>
            ) : (
              <Bubble key={line.key} line={line} isDirect={conversation.group.value.is_direct_message} />
            ),
          )}
        </ol>
      </section>
      {!scroll.isAtEnd && (
        <IconButton icon="down" label="To the newest message" class="to-end" onClick={scroll.toEnd} />
      )}
    </div>
  );
}

/** Stays at the end if it is there; stays where it is when something is put in above. */
function useScroll(conversation: Conversation, newest: string | undefined, oldest: string | undefined) {
  const box = useRef<HTMLElement>(null);
  const [isAtEnd, setIsAtEnd] = useState(true);
  const heightBefore = useRef(0);
  const toEnd = () => box.current?.scrollTo({ top: box.current.scrollHeight });
  // Something new is below.
  useLayoutEffect(() => {
    if (isAtEnd) conversation.letGo();
    if (isAtEnd || newest?.startsWith('waiting')) toEnd();
  }, [newest, oldest]);
  // What was put in above has pushed the rest down.
  useLayoutEffect(() => {
    const { current } = box;
    if (!current) return;
    if (!isAtEnd) current.scrollTop += current.scrollHeight - heightBefore.current;
    heightBefore.current = current.scrollHeight;
  }, [oldest]);
  useEffect(() => {
    // A keyboard that opens, or a longer draft, makes the box smaller.
    const observer = new ResizeObserver(() => isAtEnd && toEnd());
    if (box.current) observer.observe(box.current);
    return () => observer.disconnect();
  }, [isAtEnd]);
  useSignalEffect(() => {
    if (conversation.messages.value.length < 30 && conversation.hasOlder.value) void conversation.loadOlder();
  });
  const onScroll = () => {
    const { current } = box;
    if (!current) return;
    heightBefore.current = current.scrollHeight;
    setIsAtEnd(current.scrollHeight - current.scrollTop - current.clientHeight < nearPixels);
    if (current.scrollTop < nearPixels) void conversation.loadOlder();
  };
  return { box, isAtEnd, toEnd, onScroll };
}
