import {
  type Close,
  type FrameMatch,
  ProtocolClient,
  type ProtocolClientOptions,
  type Question,
  type ReceivedFrame,
} from '@hooligram/protocol-client';
import { patienceMs, within } from './patience.ts';

/** Every wait lasts `patienceMs` at most, unless the options say otherwise. */
export type TestClientOptions = Partial<ProtocolClientOptions>;

export async function connect(url: string, options: TestClientOptions = {}): Promise<TestClient> {
  const client = new TestClient(url, { timeoutMs: patienceMs, ...options });
  await client.opened;
  return client;
}

/** The client of the protocol that tests use: it waits as long as tests do, and a failed wait shows what came instead. */
export class TestClient extends ProtocolClient {
  /** Resolves when the connection is closed, by whichever side; waits no longer than `patienceMs`. */
  override get closed(): Promise<Close> {
    return within('until the connection is closed', super.closed, () => this.inbox.describe());
  }

  override next(match: FrameMatch, what?: string, after?: number): Promise<ReceivedFrame> {
    return super.next(match, what, after).catch((error: Error) => this.#explain(error));
  }

  override waitFor<T>(question: Question<T>, what?: string): Promise<T> {
    return super.waitFor(question, what).catch((error: Error) => this.#explain(error));
  }

  #explain({ message }: Error): never {
    throw new Error(`${message}; ${this.inbox.describe()}`);
  }
}
