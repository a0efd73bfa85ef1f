import { showSid } from '../phone.ts';
import { goTo } from '../route.ts';
import { useBook, useChat } from './chat-context.ts';
import { Confirm } from './confirm.tsx';
import { Dialog } from './dialog.tsx';
import { ServerChoice } from './server-choice.tsx';

/** Who is signed in, and the way out. */
export function AccountDialog({ onClose }: { readonly onClose: () => void }) {
  const chat = useChat();
  const book = useBook();
  const unsent = chat.sending.outbox.value.length + book.refused.value.length;
  const signOut = async () => {
    goTo(undefined);
    await chat.signOut();
  };
  return (
    <Dialog title="Your account" onClose={onClose}>
      <p>
        Signed in as <strong>{showSid(book.sid)}</strong>.
      </p>
      <ServerChoice />
      <Confirm label="Sign out" answer="Sign out and remove" onConfirm={signOut}>
        The messages that this browser keeps will be removed from it
        {unsent > 0 && `, and ${unsent === 1 ? 'one' : unsent} that you asked for will not be sent`}.
      </Confirm>
    </Dialog>
  );
}
