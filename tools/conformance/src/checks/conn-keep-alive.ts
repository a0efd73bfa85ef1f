import type { Topic } from '../check.ts';
import { expectEqual } from '../failure.ts';

export const connKeepAlive: Topic = {
  name: 'conn-keep-alive',
  checks: {
    'before-sign-in': {
      title: 'keep-alive is answered on a connection where nobody is signed in',
      async run(fixture) {
        expectEqual(await (await fixture.connect()).succeed('CONN_KEEP_ALIVE', {}), {}, 'payload of SUCCESS');
      },
    },
    'signed-in': {
      title: 'keep-alive is answered on a connection where somebody is signed in',
      async run(fixture) {
        expectEqual(
          await (await fixture.signedIn()).succeed('CONN_KEEP_ALIVE', {}),
          {},
          'payload of SUCCESS',
        );
      },
    },
    'failure-without-errors': {
      title: 'the FAILURE of keep-alive has an empty payload',
      async run(fixture) {
        const answer = await (await fixture.connect()).request('CONN_KEEP_ALIVE', {}, '');
        expectEqual([answer.type, answer.payload], ['CONN_KEEP_ALIVE_FAILURE', {}], 'answer to an empty id');
      },
    },
  },
};
