import { createServer } from 'node:http';
import { createAdapter } from '@socket.io/redis-adapter';
import { Redis } from 'ioredis';
import pg from 'pg';
import { Server } from 'socket.io';

// The same chat as a good engineer would write it in an afternoon: Socket.IO's rooms, the Redis adapter, a statement
// for each message that checks the membership and numbers it, receipts inserted in batches. Left out, to its
// advantage, is all that takes longer to write: retries, replays, safe repetition, exact membership.

const receiptsEveryMs = 100;
const receiptsMax = 1_000;

const [port, databaseUrl, redisUrl = ''] = process.argv.slice(2);
const database = new pg.Pool({ connectionString: databaseUrl, max: 8 });
// The adapter knows the messages of the older Redis protocol only.
const publisher = new Redis(redisUrl, { protocol: 2 });
const subscriber = publisher.duplicate();
const http = createServer();
const io = new Server(http, { transports: ['websocket'], adapter: createAdapter(publisher, subscriber) });

/** By group: its last send that this node has accepted. */
const locks = new Map<number, Promise<void>>();
let receipts: [messageId: number, sid: string][] = [];
let receiptTimer: NodeJS.Timeout | undefined;

io.on('connection', (socket) => {
  let sid = '';
  socket.on('VERIFICATION_REQUEST_CODE', (_payload, done) => done({}));
  socket.on('VERIFICATION_SUBMIT_CODE', (_payload, done) => done({}));
  socket.on('AUTHORIZATION_SIGN_IN', async ({ country_code, phone_number }, done) => {
    sid = `${country_code}.${phone_number}`;
    await database.query('INSERT INTO chat_user (sid) VALUES ($1) ON CONFLICT DO NOTHING', [sid]);
    const { rows } = await database.query('SELECT group_id FROM member WHERE sid = $1', [sid]);
    await socket.join([`user:${sid}`, ...rows.map(({ group_id }) => `group:${group_id}`)]);
    done({});
  });
  socket.on('GROUP_CREATE', async ({ group_name, member_sids }, done) => {
    const { rows } = await database.query(
      `WITH made AS (INSERT INTO chat_group (name) VALUES ($1) RETURNING id)
       INSERT INTO member (group_id, sid) SELECT made.id, s FROM made, unnest($2::text[]) s RETURNING group_id`,
      [group_name, member_sids],
    );
    const group_id = Number(rows[0].group_id);
    // To the users and not to the room of the group: the adapter lets them join only when its order has come back
    // through Redis, on this node too, and until then they receive nothing that is sent to the room.
    const members = member_sids.map((member: string) => `user:${member}`);
    io.in(members).socketsJoin(`group:${group_id}`);
    io.to(members).emit('group', { group_id, group_name, member_sids });
    done({ group_id });
  });
  socket.on('MESSAGING_SEND', (payload, done) => void send(sid, payload, done));
  socket.on('delivered', (messageId: number) => {
    receipts.push([messageId, sid]);
    if (receipts.length >= receiptsMax) void storeReceipts();
    else receiptTimer ??= setTimeout(storeReceipts, receiptsEveryMs);
  });
});

/** Stores the messages of a group one after the other, so that this node publishes them in their order. */
async function send(
  sender_sid: string,
  { group_id, content }: { group_id: number; content: string },
  done: (answer: object) => void,
): Promise<void> {
  const before = locks.get(group_id);
  let release = () => {};
  const mine = new Promise<void>((resolve) => {
    release = resolve;
  });
  locks.set(group_id, mine);
  try {
    await before;
    const { rows } = await database.query({
      name: 'send',
      text: `WITH raised AS (
           UPDATE chat_group SET last_seq = last_seq + 1
           WHERE id = $1 AND EXISTS (SELECT FROM member WHERE group_id = $1 AND sid = $2) RETURNING last_seq
         )
         INSERT INTO message (group_id, seq, sender_sid, content) SELECT $1, last_seq, $2, $3 FROM raised
         RETURNING id, date_created`,
      values: [group_id, sender_sid, content],
    });
    if (!rows[0]) return done({ errors: ['not a member'] });
    const message_id = Number(rows[0].id);
    const { date_created } = rows[0];
    io.to(`group:${group_id}`).emit('message', { content, date_created, group_id, message_id, sender_sid });
    done({ message_id });
  } catch (error) {
    done({ errors: [(error as Error).message] });
  } finally {
    release();
    if (locks.get(group_id) === mine) locks.delete(group_id);
  }
}

async function storeReceipts(): Promise<void> {
  clearTimeout(receiptTimer);
  receiptTimer = undefined;
  const batch = receipts;
  receipts = [];
  await database.query({
    name: 'receipts',
    text: `INSERT INTO receipt (message_id, sid) SELECT * FROM unnest($1::bigint[], $2::text[])
       ON CONFLICT DO NOTHING`,
    values: [batch.map(([id]) => id), batch.map(([, sid]) => sid)],
  });
}

http.listen(Number(port), '127.0.0.1', () => process.send?.('listening'));
process.on('disconnect', () => process.exit());
