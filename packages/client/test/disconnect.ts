import { type createFixture, introduce, type Member, next } from './fixture.ts';
import type { FrameGate } from './frame-gate.ts';

type Fixture = ReturnType<typeof createFixture>;

/** Ada behind a proxy of the test, Bob without one, and their group. */
export async function pairOf(
  fixture: Fixture,
  options = {},
): Promise<{ ada: Member; bob: Member; gate: FrameGate; groupId: number }> {
  const gate = await fixture.gate(0);
  const [ada, bob] = [
    await fixture.member(gate.url, options),
    await fixture.member(fixture.system.gateway(0).url),
  ];
  return { ada, bob, gate, groupId: await introduce(ada, bob) };
}

export async function disconnect(member: Member, gate: FrameGate): Promise<void> {
  gate.isShut = true;
  const lost = next(member, 'state', ({ status }) => status === 'waiting');
  gate.close(1001);
  await lost;
}

export function reconnect(member: Member, gate: FrameGate): void {
  gate.isShut = false;
  member.client.connect();
}
