import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { useBook, useChat } from './chat-context.ts';
import { Icon } from './icons.tsx';

/** Writes messages. What is not sent yet is kept as a draft, key by key. */
export function Composer({ groupId }: { readonly groupId: number }) {
  const { sending } = useChat();
  const { notebook } = useBook();
  const [text, setText] = useState(() => notebook.draftOf(groupId));
  const box = useRef<HTMLTextAreaElement>(null);
  const write = (written: string) => {
    setText(written);
    notebook.setDraft(groupId, written);
  };
  const send = () => {
    if (text.trim() === '') return;
    sending.send(groupId, text);
    write('');
    box.current?.focus();
  };
  useEffect(() => {
    if (!matchMedia('(pointer: coarse)').matches) box.current?.focus();
  }, []);
  useLayoutEffect(() => {
    if (!box.current) return;
    box.current.style.height = 'auto';
    box.current.style.height = `${box.current.scrollHeight}px`;
  }, [text]);
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <textarea
        ref={box}
        rows={1}
        aria-label="Message"
        placeholder="Message"
        enterkeyhint="send"
        value={text}
        onInput={(event) => write(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
          event.preventDefault();
          send();
        }}
      />
      <button type="submit" class="send" aria-label="Send" disabled={text.trim() === ''}>
        <Icon name="send" />
      </button>
    </form>
  );
}
