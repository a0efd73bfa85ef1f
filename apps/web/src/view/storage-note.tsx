import { useChat } from './chat-context.ts';
import { Icon } from './icons.tsx';

/** IndexedDB has this name for it: a page of a later release has changed what is kept. */
const isOlder = 'VersionError';

const reasons: Readonly<Record<string, string>> = {
  QuotaExceededError: 'This browser has no room left for the chat.',
  [isOlder]: 'A newer release of this page is open in this browser, and this one must be loaded again.',
};

/** Says, as long as it is so, that this browser does not keep everything, and what that means. */
export function StorageNote() {
  const failure = useChat().storageFailure.value;
  return (
    <div class="banner-place" role="status">
      {failure !== undefined && (
        <div class="banner">
          <Icon name="alert" />
          <p>
            {reasons[nameOf(failure)] ?? 'This browser keeps nothing for this page at the moment.'} Messages
            stay on the server until they can be kept here; what is not sent yet is lost with the page.
          </p>
          {nameOf(failure) === isOlder && (
            <button type="button" class="quiet" onClick={() => location.reload()}>
              Reload
            </button>
          )}
        </div>
      )}
    </div>
  );
}

function nameOf(failure: unknown): string {
  return failure instanceof Error || failure instanceof DOMException ? failure.name : '';
}
