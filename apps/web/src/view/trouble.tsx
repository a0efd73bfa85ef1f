/** Shown when nothing else can be: the browser keeps nothing for this page, or the address names no server. */
export function Trouble({ error }: { readonly error: unknown }) {
  return (
    <main class="card-page">
      <div class="card" role="alert">
        <h1>The chat cannot start</h1>
        <p>{error instanceof Error ? error.message : String(error)}</p>
        <p>
          It needs storage in this browser (IndexedDB), and a server’s address that begins with ws: or wss:.
        </p>
        <a class="button" href="/">
          Try again
        </a>
      </div>
    </main>
  );
}
