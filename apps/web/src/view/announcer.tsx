import { useChat } from './chat-context.ts';

/** Says to a screen reader what others see arrive. */
export function Announcer() {
  return (
    <div class="unseen" role="status" aria-label="New messages">
      {useChat().announcement.value}
    </div>
  );
}
