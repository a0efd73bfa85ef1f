import { useChat } from './chat-context.ts';
import { Icon } from './icons.tsx';

/** Says, as long as it is so, that this browser does not keep everything, and what that means. */
export function StorageNote() {
  const failure = useChat().storageFailure.value;
  return (
    <div class="banner-place" role="status">
      {failure !== undefined && (
        <div class="banner">
          <Icon name="alert" />
          <p>
            {nameOf(failure) === 'QuotaExceededError'
              ? 'This browser has no room left for the chat. '
              : 'This browser keeps nothing for this page at the moment. '}
            Messages stay on the server until they can be kept here; what is not sent yet is lost with the
            page.
          </p>
        </div>
      )}
    </div>
  );
}

function nameOf(failure: unknown): string {
  return failure instanceof Error || failure instanceof DOMException ? failure.name : '';
}
