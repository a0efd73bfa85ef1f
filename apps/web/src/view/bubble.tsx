import { explain } from '../chat/sending.ts';
import { useBook, useChat } from './chat-context.ts';
import { Icon, type IconName } from './icons.tsx';
import type { MessageLine } from './lines.ts';
import { timeOf } from './names.ts';

const statuses: Readonly<Record<MessageLine['status'], { icon: IconName; text: string }>> = {
  sending: { icon: 'clock', text: 'Sending' },
  unkept: { icon: 'clock', text: 'Sent, and not kept in this browser' },
  stored: { icon: 'check', text: 'Stored' },
  refused: { icon: 'alert', text: 'Refused' },
};

type BubbleProps = {
  readonly line: MessageLine;
  readonly isDirect: boolean;
};

/** One message. */
export function Bubble({ line, isDirect }: BubbleProps) {
  const { notebook } = useBook();
  const { isOwn, isMore, senderSid, content, status, refused, time } = line;
  const sender = isOwn ? 'You' : notebook.nameOf(senderSid);
  return (
    <li class={`message ${isOwn ? 'own' : 'other'} ${isMore ? 'more' : ''} is-${status}`}>
      <div class="bubble">
        <span class={isOwn || isDirect || isMore ? 'unseen' : 'sender'}>{sender}</span>
        <p dir="auto">{content}</p>
        <span class="meta">
          <time dateTime={new Date(time).toISOString()}>{timeOf(time)}</time>
          {isOwn && (
            <span class="status" title={statuses[status].text}>
              <Icon name={statuses[status].icon} />
              <span class="unseen">{statuses[status].text}</span>
            </span>
          )}
        </span>
      </div>
      {refused && <Refusal message={refused} />}
    </li>
  );
}

function Refusal({ message }: { readonly message: NonNullable<MessageLine['refused']> }) {
  const { sending } = useChat();
  const book = useBook();
  return (
    <div class="refusal" role="alert">
      <span>Refused: {explain(message.errors)}.</span>
      <button type="button" class="quiet" onClick={() => sending.again(message)}>
        Send again
      </button>
      <button type="button" class="quiet" onClick={() => book.dropRefused(message)}>
        Discard
      </button>
    </div>
  );
}
