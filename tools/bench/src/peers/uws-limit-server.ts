import { loadUws, type uWS } from '@hooligram/uws';

// The most that one process can do with nothing behind it: it answers a send, publishes it to the group's topic, and
// drops acknowledgements as soon as it can tell them from sends. It stores nothing.

type UserData = { sid: string };

const [port = '0'] = process.argv.slice(2);
const sockets = new Map<string, uWS.WebSocket<UserData>>();
const app = loadUws().uWS.App();
let groups = 0;
let messages = 0;

app.ws<UserData>('/v2', {
  maxBackpressure: 16 * 1024 * 1024,
  upgrade(response, request, context) {
    response.upgrade(
      { sid: '' },
      request.getHeader('sec-websocket-key'),
      request.getHeader('sec-websocket-protocol'),
      request.getHeader('sec-websocket-extensions'),
      context,
    );
  },
  message(ws, bytes) {
    const text = Buffer.from(bytes).toString('latin1');
    if (text.startsWith('{"id":"1","type":"M')) return;
    const { id, type, payload } = JSON.parse(text);
    if (type === 'MESSAGING_SEND_REQUEST') send(ws, id, payload);
    else if (type === 'GROUP_CREATE_REQUEST') create(ws, id, payload);
    else if (type.endsWith('_REQUEST')) {
      if (type.startsWith('AUTHORIZATION')) {
        ws.getUserData().sid = `${payload.country_code}.${payload.phone_number}`;
        sockets.set(ws.getUserData().sid, ws);
      }
      answer(ws, type, id, {});
    }
  },
  close: (ws) => void sockets.delete(ws.getUserData().sid),
});

function send(ws: uWS.WebSocket<UserData>, id: string, payload: { group_id: number; content: string }): void {
  messages += 1;
  const { group_id, content } = payload;
  const delivery = {
    content,
    date_created: new Date().toISOString(),
    group_id,
    message_id: messages,
    sender_sid: ws.getUserData().sid,
  };
  const frame = { id: `m${messages}`, type: 'MESSAGING_DELIVER_REQUEST', payload: delivery };
  app.publish(String(group_id), JSON.stringify(frame));
  answer(ws, 'MESSAGING_SEND_REQUEST', id, { message_id: messages });
}

function create(
  ws: uWS.WebSocket<UserData>,
  id: string,
  { group_name, member_sids }: { group_name: string; member_sids: string[] },
): void {
  groups += 1;
  const payload = {
    date_created: new Date().toISOString(),
    group_id: groups,
    group_name,
    is_direct_message: member_sids.length === 2,
    member_sids,
  };
  const frame = JSON.stringify({ id: `g${groups}`, type: 'GROUP_DELIVER_REQUEST', payload });
  for (const sid of member_sids) {
    sockets.get(sid)?.subscribe(String(groups));
    sockets.get(sid)?.send(frame);
  }
  answer(ws, 'GROUP_CREATE_REQUEST', id, { group_id: groups });
}

function answer(ws: uWS.WebSocket<UserData>, type: string, id: string, payload: object): void {
  ws.send(JSON.stringify({ id, type: type.replace(/REQUEST$/, 'SUCCESS'), payload }));
}

app.listen('127.0.0.1', Number(port), (listening) => {
  if (!listening) throw new Error(`port ${port} is in use`);
  process.send?.('listening');
});
process.on('disconnect', () => process.exit());
