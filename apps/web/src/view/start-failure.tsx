/** Shown when nothing else can be: the address names no server. */
export function StartFailure({ error }: { readonly error: unknown }) {
  return (
    <main class="card-page">
      <div class="card" role="alert">
        <h1>The chat cannot start</h1>
        <p>{error instanceof Error ? error.message : String(error)}</p>
        <p>It needs a server’s address that begins with ws: or wss:.</p>
        <a class="button" href="/">
          Try again
        </a>
      </div>
    </main>
  );
}
