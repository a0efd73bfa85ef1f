import { useId } from 'preact/hooks';
import { asName } from '../typed.ts';
import { useChat } from './chat-context.ts';
import { Form } from './form.tsx';

/** Which server the page talks to; another one is another address of the page, with sign-ins of its own. */
export function ServerChoice() {
  const { servers } = useChat();
  const listId = useId();
  const inputId = useId();
  return (
    <details class="server">
      <summary>Server</summary>
      <Form
        onSubmit={(entries) => {
          const url = asName(String(entries.get('url')));
          location.assign(`/?${new URLSearchParams({ url })}`);
        }}
      >
        <label for={inputId}>Address</label>
        <input id={inputId} name="url" type="url" required list={listId} defaultValue={servers.url} />
        <datalist id={listId}>
          {servers.others.map(({ name, url }) => (
            <option key={name} value={url}>
              {name}
            </option>
          ))}
        </datalist>
        <button type="submit" class="quiet">
          Use this server
        </button>
      </Form>
    </details>
  );
}
