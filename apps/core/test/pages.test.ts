import { expect, test } from '@jest/globals';
import { FakeGateway } from './fake-gateway.ts';
import { createGroup, startFixture } from './fixture.ts';

const fixture = startFixture({ gateways: 1, cores: 1 });

const publicationBytesMax = 300_000;

test('messages that grow sevenfold on their way leave in pages and publications of a bounded size, all of them', async () => {
  const ada = await fixture.enter(0);
  const group_id = await createGroup(ada, [(await fixture.enter(0)).sid]);
  const count = 40;
  await fixture.rows(
    `WITH raised AS (UPDATE "group" SET last_seq = $2 WHERE id = $1)
     INSERT INTO message (id, group_id, seq, sender_id, request_id, content, date_created)
     SELECT nextval('message_id_seq'), $1, seq, (SELECT id FROM "user" WHERE sid = $3), gen_random_uuid(),
       repeat(chr(1), 10800), now()
     FROM generate_series(1, $2::bigint) seq`,
    [group_id, count, ada.sid],
  );
  const gateway = await FakeGateway.connect(fixture.system);
  const readAll = async () => {
    const seqs: number[] = [];
    for (let after_seq = 0; after_seq < count; after_seq = seqs.at(-1) ?? count) {
      const page = await gateway.request('REPLAY_PAGE', { group_id, after_seq });
      seqs.push(...page.messages.map(([seq]) => seq));
      expect(page.through_seq).toBe(seqs.at(-1));
    }
    return seqs;
  };
  // All of them at once: their answers leave together.
  const readers = await Promise.all(Array.from({ length: 12 }, readAll));
  for (const seqs of readers) expect(seqs).toEqual(Array.from({ length: count }, (_, at) => at + 1));
  expect(Math.max(...gateway.publicationBytes)).toBeLessThan(publicationBytesMax);
  gateway.close();
});
