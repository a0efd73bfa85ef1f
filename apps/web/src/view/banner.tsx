import type { ConnectionState } from '@hooligram/client';
import { useEffect, useState } from 'preact/hooks';
import { hasNetwork } from '../page.ts';
import { useChat } from './chat-context.ts';
import { Icon } from './icons.tsx';

/** Says that there is no connection, and when the next try is. Short breaks are not shown. */
export function Banner() {
  const chat = useChat();
  const state = chat.connection.value;
  const text = textOf(state, hasNetwork.value);
  const isShown = useAfter(graceMs, text !== undefined);
  const shown = isShown || state.status === 'stopped' || !hasNetwork.value ? text : undefined;
  return (
    <div class="banner-place" role="status">
      {shown !== undefined && (
        <div class="banner">
          <Icon name="offline" />
          <p>
            {shown}
            {state.status === 'waiting' && hasNetwork.value && <Countdown state={state} />}
          </p>
          <Help />
        </div>
      )}
    </div>
  );
}

/** Without a network there is nothing to try: the connection comes back with it. */
function Help() {
  const { client, connection } = useChat();
  const isStopped = connection.value.status === 'stopped';
  if (!isStopped && !hasNetwork.value) return null;
  return (
    <button type="button" class="quiet" onClick={() => (isStopped ? location.reload() : client.connect())}>
      {isStopped ? 'Reload' : 'Try now'}
    </button>
  );
}

const graceMs = 1_000;

function textOf(state: ConnectionState, isOnline: boolean): string | undefined {
  if (state.status === 'stopped')
    return `The server has ended the connection: ${state.reason || state.code}.`;
  if (!isOnline) return 'You are offline. Messages leave when you are back.';
  if (state.status === 'signed-in' || state.status === 'connected') return undefined;
  return 'No connection. Messages leave when there is one.';
}

/** Whether something has held for a while without a break. */
function useAfter(ms: number, holds: boolean): boolean {
  const [has, setHas] = useState(false);
  useEffect(() => {
    if (!holds) return setHas(false);
    const timer = setTimeout(() => setHas(true), ms);
    return () => clearTimeout(timer);
  }, [ms, holds]);
  return has && holds;
}

/** Not for a screen reader, which would read every second of it. */
function Countdown({ state }: { readonly state: Extract<ConnectionState, { status: 'waiting' }> }) {
  const [until] = useState(() => new Map<object, number>());
  if (!until.has(state)) until.set(state, Date.now() + state.retryInMs);
  const left = Math.max(0, Math.ceil(((until.get(state) ?? 0) - Date.now()) / 1_000));
  const [, setTick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setTick((tick) => tick + 1), 1_000);
    return () => clearInterval(timer);
  }, []);
  return left > 0 ? <span aria-hidden="true"> Next try in {left} s.</span> : null;
}
