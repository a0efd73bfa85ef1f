import { WebSocket } from 'ws';

interface Frame {
  readonly id: string;
  readonly type: string;
  readonly payload: {
    readonly errors?: string[];
    readonly group_id?: number;
    readonly message_id?: number;
    readonly content?: string;
  };
}

/** Somebody on a connection of their own, as far as the proof of life needs one. */
export interface Person {
  readonly sid: string;
  /** @throws with the errors of a failure */
  request(transaction: string, payload: object): Promise<Frame['payload']>;
  /** The next frame received, or received already, that the question says yes to. */
  next(question: (frame: Frame) => boolean): Promise<Frame>;
  close(): void;
}

/** Connects and signs in. Every wait of the person ends with the signal. */
export async function signIn(url: string, sid: string, code: string, signal: AbortSignal): Promise<Person> {
  const socket = new WebSocket(url);
  const frames: Frame[] = [];
  const waiting = new Set<() => void>();
  let failure: Error | undefined;
  let lastId = 0;

  const wake = () => {
    for (const look of [...waiting]) look();
  };
  const fail = (error: Error) => {
    failure ??= error;
    wake();
  };
  socket.on('message', (data) => {
    const frame = JSON.parse(String(data)) as Frame;
    const [, kind] = /^(GROUP|MESSAGING)_DELIVER_REQUEST$/.exec(frame.type) ?? [];
    if (kind === 'GROUP') send('GROUP_DELIVER_SUCCESS', { group_id: frame.payload.group_id });
    if (kind === 'MESSAGING') send('MESSAGING_DELIVER_SUCCESS', { message_id: frame.payload.message_id });
    frames.push(frame);
    wake();
  });
  socket.on('error', fail);
  socket.on('close', (closeCode, reason) => fail(new Error(`connection closed: ${closeCode} ${reason}`)));
  signal.addEventListener('abort', () => fail(signal.reason as Error));

  function send(type: string, payload: object): string {
    lastId += 1;
    socket.send(JSON.stringify({ id: String(lastId), type, payload }));
    return String(lastId);
  }

  function until<T>(question: () => T | undefined | false): Promise<T> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const answer = question();
        if (!answer && !failure) return;
        waiting.delete(look);
        if (answer) resolve(answer);
        else reject(failure);
      };
      waiting.add(look);
      look();
    });
  }

  const person: Person = {
    sid,
    next: (question) => until(() => frames.find(question)),
    async request(transaction, payload) {
      const id = send(`${transaction}_REQUEST`, payload);
      const answer = await until(() =>
        frames.find((frame) => frame.id === id && !frame.type.endsWith('_REQUEST')),
      );
      if (answer.type === `${transaction}_SUCCESS`) return answer.payload;
      throw new Error(`${transaction}: ${answer.payload.errors?.join('; ') ?? answer.type}`);
    },
    close: () => {
      socket.removeAllListeners('close');
      socket.close();
    },
  };

  try {
    socket.once('open', wake);
    await until(() => socket.readyState === WebSocket.OPEN);
    const [country_code, phone_number] = sid.split('.');
    await person.request('VERIFICATION_REQUEST_CODE', { country_code, phone_number });
    await person.request('VERIFICATION_SUBMIT_CODE', { verification_code: code });
    await person.request('AUTHORIZATION_SIGN_IN', { country_code, phone_number, verification_code: code });
    return person;
  } catch (error) {
    socket.terminate();
    throw error;
  }
}
