import { type PhoneNumber, RequestError } from '@hooligram/client';
import { useEffect, useRef, useState } from 'preact/hooks';
import { explain } from '../chat/sending.ts';
import { countryOfLanguages, readPhone, showSid, sidOf } from '../phone.ts';
import { asCode } from '../typed.ts';
import { useChat } from './chat-context.ts';
import { CountrySelect } from './country-select.tsx';
import { Field } from './field.tsx';
import { Form } from './form.tsx';
import { phoneHint, phoneWanted } from './phone-hint.ts';
import { ServerChoice } from './server-choice.tsx';

/** A number first, then the code that was sent to it. */
export function SignIn() {
  const [number, setNumber] = useState<PhoneNumber>();
  const { refusedSid } = useChat();
  return (
    <main class="card-page">
      <div class="card">
        <img src="/icon.svg" alt="" width="64" height="64" />
        <h1>Hooligram</h1>
        {refusedSid.value !== undefined && (
          <p class="hint" role="status">
            This session has ended: your number was verified again somewhere else. Verify it here to go on;
            what you wrote waits.
          </p>
        )}
        {number ? (
          <CodeStep number={number} onBack={() => setNumber(undefined)} />
        ) : (
          <NumberStep onSent={setNumber} />
        )}
        <ServerChoice />
      </div>
    </main>
  );
}

function NumberStep({ onSent }: { readonly onSent: (number: PhoneNumber) => void }) {
  const chat = useChat();
  const { refusedSid } = chat;
  const [text, setText] = useState(refusedSid.value === undefined ? '' : showSid(refusedSid.value));
  const [country, setCountry] = useState(() => countryOfLanguages(navigator.languages));
  const { error, setError, isBusy, run } = useAttempt();
  const reading = readPhone(text, country);
  const submit = () => {
    if (reading.kind !== 'number') return setError(reading.kind === 'fault' ? reading.text : phoneWanted);
    const { number } = reading;
    run(async (signal) => {
      await chat.client.requestCode(number, { signal });
      onSent(number);
    });
  };
  return (
    <Form onSubmit={submit} isFocused>
      <CountrySelect country={country} onChange={setCountry} />
      <Field
        label="Phone number"
        type="tel"
        autocomplete="tel"
        placeholder="+1 555 0100"
        value={text}
        error={error}
        hint={phoneHint(reading)}
        onInput={(typed) => {
          setText(typed);
          setError('');
        }}
      />
      <button type="submit" class="button" disabled={isBusy}>
        {isBusy ? 'Asking for a code …' : 'Send me a code'}
      </button>
    </Form>
  );
}

function CodeStep({ number, onBack }: { readonly number: PhoneNumber; readonly onBack: () => void }) {
  const chat = useChat();
  const [code, setCode] = useState('');
  const { error, setError, isBusy, run } = useAttempt();
  const submit = () => {
    if (asCode(code) === '') return setError('Write the code that you were sent.');
    run((signal) => chat.signIn(number, asCode(code), signal));
  };
  const again = () => run((signal) => chat.client.requestCode(number, { signal }));
  return (
    <Form onSubmit={submit} isFocused>
      <p class="hint">A code is on its way to {showSid(sidOf(number))}.</p>
      <Field
        label="Code"
        inputMode="numeric"
        autocomplete="one-time-code"
        class="code"
        value={code}
        error={error}
        onInput={setCode}
      />
      <button type="submit" class="button" disabled={isBusy}>
        {isBusy ? 'One moment …' : 'Sign in'}
      </button>
      <div class="row">
        <button type="button" class="quiet" onClick={onBack}>
          Another number
        </button>
        <button type="button" class="quiet" onClick={again} disabled={isBusy}>
          Send another code
        </button>
      </div>
    </Form>
  );
}

/** One request at a time; it is given up when the step is left. */
function useAttempt() {
  const [error, setError] = useState('');
  const [isBusy, setIsBusy] = useState(false);
  const attempt = useRef(new AbortController());
  useEffect(() => () => attempt.current.abort(), []);
  const run = async (body: (signal: AbortSignal) => Promise<void>) => {
    const { signal } = attempt.current;
    setError('');
    setIsBusy(true);
    try {
      await body(signal);
    } catch (caught) {
      if (!signal.aborted) setError(asSentence(caught));
    }
    setIsBusy(false);
  };
  return { error, setError, isBusy, run };
}

function asSentence(error: unknown): string {
  const text = error instanceof RequestError ? explain(error.errors) : String(error);
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
