import { messageBytesOver } from '@hooligram/client';
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { showsNothing } from '../typed.ts';
import { useBook, useChat } from './chat-context.ts';
import { isComposing } from './composing.ts';
import { Form } from './form.tsx';
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
  const over = charactersOver(groupId, text);
  const isSendable = over === 0 && !showsNothing(text);
  const errorId = useId();
  const send = () => {
    if (!isSendable) return;
    sending.send(groupId, text);
    write('');
    box.current?.focus();
  };
  useLayoutEffect(() => {
    if (!matchMedia('(pointer: coarse)').matches) box.current?.focus();
  }, []);
  useLayoutEffect(() => {
    if (!box.current) return;
    box.current.style.height = 'auto';
    box.current.style.height = `${box.current.scrollHeight}px`;
  }, [text]);
  return (
    <Form class="composer" onSubmit={send}>
      <textarea
        ref={box}
        rows={1}
        aria-label="Message"
        aria-invalid={over > 0}
        aria-describedby={errorId}
        placeholder="Message"
        enterkeyhint="send"
        value={text}
        onInput={(event) => write(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || event.shiftKey || isComposing(event)) return;
          event.preventDefault();
          send();
        }}
      />
      <button type="submit" class="send" aria-label="Send" disabled={!isSendable}>
        <Icon name="send" />
      </button>
      <p class="error" id={errorId} role="alert">
        {over > 0 &&
          `Too long for one message: take away ${over.toLocaleString('en')} ${over === 1 ? 'character' : 'characters'}.`}
      </p>
    </Form>
  );
}

/** How many characters have to go from the end before the text fits into one message. */
function charactersOver(groupId: number, text: string): number {
  if (messageBytesOver(groupId, text) === 0) return 0;
  const characters = [...text];
  let fits = 0;
  let tooMany = characters.length;
  while (tooMany - fits > 1) {
    const middle = (fits + tooMany) >> 1;
    if (messageBytesOver(groupId, characters.slice(0, middle).join('')) === 0) fits = middle;
    else tooMany = middle;
  }
  return characters.length - fits;
}
