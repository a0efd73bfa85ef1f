import { UnknownServerError } from '../server-url.ts';

/** Shown when nothing else can be. */
export function StartFailure({ error }: { readonly error: unknown }) {
  return (
    <main class="card-page">
      <div class="card" role="alert">
        {error instanceof UnknownServerError ? <UnknownServer url={error.url} /> : <Failure error={error} />}
      </div>
    </main>
  );
}

function UnknownServer({ url }: { readonly url: string }) {
  return (
    <>
      <h1>This link leads to another server</h1>
      <p>
        It asks this page to talk to <strong>{url}</strong>, which is not one of its servers. Whoever runs
        that server could read your number, your code and your messages.
      </p>
      <a class="button" href="/">
        Go to this page’s own server
      </a>
    </>
  );
}

function Failure({ error }: { readonly error: unknown }) {
  return (
    <>
      <h1>The chat cannot start</h1>
      <p>{error instanceof Error ? error.message : String(error)}</p>
      <a class="button" href="/">
        Try again
      </a>
    </>
  );
}
