import { closeReasons } from '@hooligram/protocol';
import type { Topic } from '../check.ts';
import { closeByServer } from '../close-by-server.ts';
import { expectEqual, expectThat, Skip } from '../failure.ts';

export const badFrames: Topic = {
  name: 'bad-frames',
  checks: [
    {
      name: 'closed',
      title: 'a connection that keeps on with bad frames is told of each, then closed with 1008 and a reason',
      async run(stage) {
        const { badFramesMax, timeoutMs } = stage.options;
        if (badFramesMax === 0) throw new Skip('--bad-frames 0');
        const [peer, other] = [await stage.connect(), await stage.connect()];
        for (let count = 1; count < badFramesMax; count += 1) peer.sendRaw('bad');
        const isTold = ({ type }: { type: string }) => type === 'CONN_FRAME_FAILURE';
        await peer.until(
          (frames) => frames.filter(isTold).length === badFramesMax - 1,
          `${badFramesMax - 1} times CONN_FRAME_FAILURE`,
        );
        await peer.isServed();
        peer.sendRaw('bad');
        await peer.until(
          (frames) => frames.filter(isTold).length === badFramesMax,
          `CONN_FRAME_FAILURE for bad frame ${badFramesMax}`,
        );
        const { code, reason } = await closeByServer(peer, timeoutMs, `${badFramesMax} bad frames`);
        expectEqual(code, closeReasons.badFrames.code, `close code after ${badFramesMax} bad frames`);
        expectThat(reason !== '', 'the close must have a reason');
        await other.isServed();
      },
    },
    {
      name: 'others-do-not-count',
      title: 'requests that fail, also unknown ones, never close a connection, however many they are',
      async run(stage) {
        const { badFramesMax } = stage.options;
        if (badFramesMax === 0) throw new Skip('--bad-frames 0');
        const peer = await stage.connect();
        for (const name of ['FOO', 'VERIFICATION_SUBMIT_CODE']) {
          for (let count = 0; count <= badFramesMax; count += 1) peer.send(`${name}_REQUEST`, {});
          await peer.until(
            (frames) => frames.filter(({ type }) => type === `${name}_FAILURE`).length > badFramesMax,
            `${badFramesMax + 1} times ${name}_FAILURE`,
          );
          await peer.isServed();
        }
      },
    },
  ],
};
