import { introduce, type Member, next, type setCompany } from './company.ts';
import type { FrameGate } from './frame-gate.ts';

type Company = ReturnType<typeof setCompany>;

/** Ada by a way that the test rules, Bob by none, and their group. */
export async function pairOf(
  company: Company,
  options = {},
): Promise<{ ada: Member; bob: Member; gate: FrameGate; groupId: number }> {
  const gate = await company.gate(0);
  const [ada, bob] = [
    await company.member(gate.url, options),
    await company.member(company.system.gateway(0).url),
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
