import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { IDBFactory } from 'fake-indexeddb';
import {
  type ClientStorage,
  indexedDbStorage,
  memoryStorage,
  type WebStorage,
  webStorage,
} from '../src/index.ts';
import { pairOf } from './disconnect.ts';
import {
  contents,
  createFixture,
  heard,
  listen,
  type Member,
  next,
  signUp,
  takeTheClock,
  until,
} from './fixture.ts';

const fixture = createFixture({ gateways: 1, cores: 1 });
const url = () => fixture.system.gateway(0).url;

afterEach(() => {
  jest.useRealTimers();
});

type Fault = 'none' | 'full' | 'hangs' | 'throws';

/** A storage that fails as the test says. What it has is in `memory`. */
function faulty(fault: Fault = 'none') {
  const memory = memoryStorage();
  const calls = { fault, failed: 0 };
  const call = <T>(body: () => Promise<T>): Promise<T> => {
    if (calls.fault !== 'none') calls.failed += 1;
    if (calls.fault === 'full') return Promise.reject(new DOMException('no room', 'QuotaExceededError'));
    if (calls.fault === 'hangs') return new Promise(() => {});
    if (calls.fault === 'throws') throw new DOMException('refused', 'SecurityError');
    return body();
  };
  const storage: ClientStorage = {
    load: () => call(() => memory.load()),
    set: (key, value) => call(() => memory.set(key, value)),
    delete: (key) => call(() => memory.delete(key)),
  };
  return { storage, memory, calls };
}

/** The states of a client's storage. */
function states({ client }: Member): string[] {
  const received: string[] = [];
  client.on('storage', ({ status }) => received.push(status));
  return received;
}

async function keysOf(storage: ClientStorage): Promise<string[]> {
  return [...(await storage.load()).keys()].map((key) => key.split('/')[0] ?? '').sort();
}

describe('a client whose storage', () => {
  test.each(['full', 'throws'] as const)('fails (%s) says so once, and chats from memory', async (fault) => {
    const { storage, calls } = faulty(fault);
    const ada = fixture.client(url(), { storage });
    const received = states(ada);
    listen(ada);
    await signUp(ada);
    expect(await ada.client.restored).toBeUndefined();
    const bob = await fixture.member(url());
    const groupId = await ada.client.createGroup('', [bob.sid]);
    await ada.client.send(groupId, 'one');
    await bob.client.send(groupId, 'two');
    await heard(ada, ['one', 'two']);
    expect(received).toEqual(['failing']);
    expect(ada.client.storage).toMatchObject({ status: 'failing', error: expect.any(DOMException) });
    expect(ada.errors).toEqual([]);
    expect(calls.failed).toBeGreaterThan(0);
    await ada.client.close();
  });

  test('does not answer goes on after 5 s: it is known that nobody signed in, and messages leave', async () => {
    const { storage, calls } = faulty('hangs');
    takeTheClock();
    const ada = fixture.client(url(), { storage });
    const received = states(ada);
    await until('it is read', () => calls.failed === 1);
    jest.advanceTimersByTime(5_000);
    expect(await ada.client.restored).toBeUndefined();
    expect(received).toEqual(['failing']);
    expect(ada.client.storage).toMatchObject({ error: new Error('the storage does not answer') });
    const signedUp = signUp(ada);
    // Signing in reads the storage once more.
    await until('it is read again', () => calls.failed > 1);
    jest.advanceTimersByTime(5_000);
    await signedUp;
    const groupId = await ada.client.createGroup('', ['1.5550199']);
    expect(await ada.client.send(groupId, 'still here')).toBeGreaterThan(0);
    expect(received).toEqual(['failing']);
  });

  test('works again is given all that it missed, and the next client goes on from there', async () => {
    const { storage, memory, calls } = faulty();
    const { ada, bob, gate, groupId } = await pairOf(fixture, { storage });
    const received = states(ada);
    calls.fault = 'full';
    gate.isShut = true;
    const lost = next(ada, 'state', ({ status }) => status === 'waiting');
    gate.close(1001);
    await lost;
    takeTheClock();
    const failed = calls.failed;
    const sent = ada.client.send(groupId, 'kept later').catch(() => undefined);
    await until('it was refused', () => calls.failed > failed);
    await until('it is said', () => received.length === 1);
    expect(await keysOf(memory)).not.toContain('outbox');
    calls.fault = 'none';
    jest.advanceTimersByTime(1_000);
    await until('it is said', () => received.length === 2);
    expect(received).toEqual(['failing', 'working']);
    expect(await keysOf(memory)).toContain('outbox');
    jest.useRealTimers();
    await ada.client.close({ signal: AbortSignal.abort() });
    await sent;
    const later = fixture.client(url(), { storage });
    expect(await later.client.restored).toBe(ada.sid);
    await heard(bob, ['kept later']);
    expect(contents(bob)).toEqual(['kept later']);
  });

  test('fails while it has no handler emits an error', async () => {
    const { storage } = faulty('full');
    const ada = fixture.client(url(), { storage });
    await ada.client.restored;
    expect(ada.errors).toEqual([expect.any(DOMException)]);
  });

  test('fails leaves no timer when the client is closed', async () => {
    takeTheClock();
    const { storage } = faulty('full');
    const ada = fixture.client(url(), { storage });
    await ada.client.restored;
    await ada.client.close();
    expect(jest.getTimerCount()).toBe(0);
  });
});

describe('two clients on one storage:', () => {
  test('a sign-in with a new code in one is taken over by the other, and not forgotten by it', async () => {
    const storage = memoryStorage();
    const gate = await fixture.gate(0);
    const ada = fixture.client(gate.url, { storage });
    await signUp(ada);
    const refusals: unknown[] = [];
    ada.client.on('signInRefused', (errors) => refusals.push(errors));
    // The other page's: only the name of the code tells them apart.
    const renewed = { ...ada.credential, verification_code: 'renewed' };
    await storage.set('credential', JSON.stringify(renewed));
    const errors = ['wrong phone number or verification code'];
    const codes: unknown[] = [];
    gate.onClientFrame = ({ id, type, payload }) => {
      if (type !== 'AUTHORIZATION_SIGN_IN_REQUEST') return undefined;
      codes.push((payload as { verification_code?: string }).verification_code);
      const how = codes.length === 1 ? 'FAILURE' : 'SUCCESS';
      return {
        instead: { id, type: `AUTHORIZATION_SIGN_IN_${how}`, payload: codes.length === 1 ? { errors } : {} },
      };
    };
    gate.close(1001);
    await until('it signed in again', () => codes.length === 2 && ada.client.state.status === 'signed-in');
    expect(codes).toEqual([ada.credential.verification_code, 'renewed']);
    expect(refusals).toEqual([]);
    expect((await storage.load()).get('credential')).toBe(JSON.stringify(renewed));
  });

  test('after a sign-out in one, the other does not store the sign-in again when it reconnects', async () => {
    const storage = memoryStorage();
    const gate = await fixture.gate(0);
    const ada = fixture.client(gate.url, { storage });
    await signUp(ada);
    const other = fixture.client(url(), { storage }, ada.credential);
    await other.client.restored;
    await other.client.signOut();
    const back = next(ada, 'state', ({ status }) => status === 'signed-in');
    gate.close(1001);
    await back;
    expect(await keysOf(storage)).not.toContain('credential');
  });
});

test('a handler that waits for close does not wait without end', async () => {
  const { ada, bob, groupId } = await pairOf(fixture);
  const closed = new Promise<void>((resolve) => {
    bob.client.on('message', async () => {
      takeTheClock();
      const closing = bob.client.close();
      // One is that of `until` itself.
      await until('it waits for handlers', () => jest.getTimerCount() > 1);
      await new Promise((go) => setImmediate(go));
      jest.advanceTimersByTime(10_000);
      await closing;
      resolve();
    });
  });
  await ada.client.send(groupId, 'go home');
  await closed;
  expect(bob.client.state.status).toBe('stopped');
});

describe('a storage in IndexedDB', () => {
  test('opens its database again when the browser has closed it, with an event or without', async () => {
    const indexedDB = new IDBFactory();
    const opened: { close(): void; onclose: ((event: unknown) => void) | null }[] = [];
    const open = indexedDB.open.bind(indexedDB);
    indexedDB.open = (...args: Parameters<typeof open>) => {
      const request = open(...args);
      request.addEventListener('success', () => opened.push(request.result as never));
      return request;
    };
    const storage = indexedDbStorage({ indexedDB });
    await storage.set('key', '1');
    opened[0]?.close();
    opened[0]?.onclose?.({});
    await storage.set('key', '2');
    opened[1]?.close();
    await storage.set('key', '3');
    expect([[...(await storage.load())], opened.length]).toEqual([[['key', '3']], 3]);
  });

  test('that is refused rejects, and opens when it is not refused any more', async () => {
    const indexedDB = new IDBFactory();
    let isRefused = true;
    const open = indexedDB.open.bind(indexedDB);
    indexedDB.open = (...args: Parameters<typeof open>) => {
      if (isRefused) throw new DOMException('refused', 'SecurityError');
      return open(...args);
    };
    const storage = indexedDbStorage({ indexedDB });
    await expect(storage.load()).rejects.toMatchObject({ name: 'SecurityError' });
    isRefused = false;
    await storage.set('key', '1');
    expect([...(await storage.load())]).toEqual([['key', '1']]);
  });
});

test('a storage in localStorage that is refused rejects, and does not throw where it is made', async () => {
  Object.defineProperty(globalThis, 'localStorage', {
    configurable: true,
    get: (): WebStorage => {
      throw new DOMException('refused', 'SecurityError');
    },
  });
  const storage = webStorage();
  await expect(storage.load()).rejects.toMatchObject({ name: 'SecurityError' });
  await expect(storage.set('key', '1')).rejects.toMatchObject({ name: 'SecurityError' });
  Reflect.deleteProperty(globalThis, 'localStorage');
});
