import { useChat } from './chat-context.ts';
import { IconButton } from './icons.tsx';

/** Stays until the user has read it. */
export function Notice() {
  const { notice } = useChat();
  return (
    <div class="notice-place" role="alert">
      {notice.value !== '' && (
        <div class="notice">
          <p>{notice.value}</p>
          <IconButton icon="close" label="Close the notice" onClick={() => (notice.value = '')} />
        </div>
      )}
    </div>
  );
}
