import { closeReasons } from '@hooligram/protocol';
import type { Checks } from '../check.ts';
import { expectEqual, expectThat, Skip } from '../failure.ts';

export const badFrames: Checks = {
  async 'closed: a connection that keeps on with bad frames is told of each, then closed with 1008 and a reason'(
    fixture,
  ) {
    const { badFramesMax, timeoutMs } = fixture.options;
    if (badFramesMax === 0) throw new Skip('--bad-frames 0');
    const [client, other] = [await fixture.connect(), await fixture.connect()];
    for (let count = 1; count < badFramesMax; count += 1) client.sendRaw('bad');
    const isTold = ({ type }: { type: string }) => type === 'CONN_FRAME_FAILURE';
    await client.waitFor(
      (frames) => frames.filter(isTold).length === badFramesMax - 1,
      `${badFramesMax - 1} times CONN_FRAME_FAILURE`,
    );
    await client.isServed();
    client.sendRaw('bad');
    await client.waitFor(
      (frames) => frames.filter(isTold).length === badFramesMax,
      `CONN_FRAME_FAILURE for bad frame ${badFramesMax}`,
    );
    const { code, reason } = await client.closeByServer(timeoutMs, `${badFramesMax} bad frames`);
    expectEqual(code, closeReasons.badFrames.code, `close code after ${badFramesMax} bad frames`);
    expectThat(reason !== '', 'the close must have a reason');
    await other.isServed();
  },
  async 'others-do-not-count: requests that fail, also unknown ones, never close a connection, however many they are'(
    fixture,
  ) {
    const { badFramesMax } = fixture.options;
    if (badFramesMax === 0) throw new Skip('--bad-frames 0');
    const client = await fixture.connect();
    for (const name of ['FOO', 'VERIFICATION_SUBMIT_CODE']) {
      for (let count = 0; count <= badFramesMax; count += 1) client.send(`${name}_REQUEST`, {});
      await client.waitFor(
        (frames) => frames.filter(({ type }) => type === `${name}_FAILURE`).length > badFramesMax,
        `${badFramesMax + 1} times ${name}_FAILURE`,
      );
      await client.isServed();
    }
  },
};
