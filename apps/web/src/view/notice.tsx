import { useChat } from './chat-context.ts';
import { Icon } from './icons.tsx';

/** Stays until the user has read it. */
export function Notice() {
  const { notice } = useChat();
  return (
    <div class="notice-place" role="alert">
      {notice.value !== '' && (
        <div class="notice">
          <p>{notice.value}</p>
          <button
            type="button"
            class="icon-button"
            aria-label="Close the notice"
            onClick={() => (notice.value = '')}
          >
            <Icon name="close" />
          </button>
        </div>
      )}
    </div>
  );
}
