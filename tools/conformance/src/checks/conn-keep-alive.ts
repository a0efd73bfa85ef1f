import type { Checks } from '../check.ts';
import { expectEqual } from '../failure.ts';

export const connKeepAlive: Checks = {
  async 'before-sign-in: keep-alive is answered on a connection where nobody is signed in'(fixture) {
    expectEqual(await (await fixture.connect()).succeed('CONN_KEEP_ALIVE', {}), {}, 'payload of SUCCESS');
  },
  async 'signed-in: keep-alive is answered on a connection where somebody is signed in'(fixture) {
    expectEqual(await (await fixture.signedIn()).succeed('CONN_KEEP_ALIVE', {}), {}, 'payload of SUCCESS');
  },
  async 'failure-without-errors: the FAILURE of keep-alive has an empty payload'(fixture) {
    const answer = await (await fixture.connect()).request('CONN_KEEP_ALIVE', {}, '');
    expectEqual([answer.type, answer.payload], ['CONN_KEEP_ALIVE_FAILURE', {}], 'answer to an empty id');
  },
};
