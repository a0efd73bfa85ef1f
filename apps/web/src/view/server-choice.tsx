import { useId } from 'preact/hooks';
import { useChat } from './chat-context.ts';
import { Form } from './form.tsx';

/** Which of its servers the page talks to; another one is another address of the page, with sign-ins of its own. */
export function ServerChoice() {
  const { servers } = useChat();
  const id = useId();
  if (servers.known.length < 2) return null;
  return (
    <details class="server">
      <summary>Server</summary>
      <Form
        onSubmit={(entries) => {
          location.assign(`/?${new URLSearchParams({ url: String(entries.get('url')) })}`);
        }}
      >
        <label for={id}>Address</label>
        <select id={id} name="url">
          {servers.known.map(({ name, url }) => (
            <option key={url} value={url} selected={url === servers.url}>
              {name}, {url}
            </option>
          ))}
        </select>
        <button type="submit" class="quiet">
          Use this server
        </button>
      </Form>
    </details>
  );
}
