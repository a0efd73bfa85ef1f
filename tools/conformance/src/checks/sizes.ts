import { closeReasons, frameBytesMax, frameBytesReadMax } from '@hooligram/protocol';
import type { Checks } from '../check.ts';
import { expectEqual, expectThat } from '../failure.ts';

/** A keep-alive of exactly so many bytes. */
function keepAliveOf(bytes: number): string {
  const empty = JSON.stringify({ id: 'big', type: 'CONN_KEEP_ALIVE_REQUEST', payload: {}, more: '' });
  return empty.replace('"more":""', `"more":"${'x'.repeat(bytes - empty.length)}"`);
}

export const sizes: Checks = {
  async 'taken: a frame of exactly 64 KiB is taken'(fixture) {
    const client = await fixture.connect();
    for (const data of [keepAliveOf(frameBytesMax), new TextEncoder().encode(keepAliveOf(frameBytesMax))]) {
      const after = client.frames.length;
      client.sendRaw(data);
      await client.answer('CONN_KEEP_ALIVE', 'big', after);
    }
    expectThat(
      client.frames.every(({ type }) => type === 'CONN_KEEP_ALIVE_SUCCESS'),
      'a frame of 64 KiB must be answered with SUCCESS',
    );
  },
  async 'refused: a larger one, to 1 MiB, is refused with close 1009 and a reason, after what was sent before it'(
    fixture,
  ) {
    for (const bytes of [frameBytesMax + 1, 300_000, frameBytesReadMax]) {
      const client = await fixture.connect();
      client.send('CONN_KEEP_ALIVE_REQUEST', {}, 'before');
      client.sendRaw(keepAliveOf(bytes));
      const { code, reason } = await client.closeByServer(
        fixture.options.timeoutMs,
        `a frame of ${bytes} bytes`,
      );
      expectEqual(code, closeReasons.frameTooLarge.code, `close code for a frame of ${bytes} bytes`);
      expectThat(reason !== '', 'the close must have a reason');
      expectEqual(
        client.frames.map(({ id }) => id),
        ['before'],
        'ids of what was answered',
      );
    }
  },
  async 'cut: a frame beyond 1 MiB ends the connection'(fixture) {
    const client = await fixture.connect();
    client.sendRaw(keepAliveOf(frameBytesReadMax + 1));
    await client.closeByServer(fixture.options.timeoutMs, 'a frame of more than 1 MiB');
    expectEqual(client.frames.length, 0, 'answers');
  },
};
