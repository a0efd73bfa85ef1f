import { finalAnswer, type History, type SendRecord } from '../checker/history.ts';
import { append } from '../checker/maps.ts';
import { quantile } from '../quantile.ts';

/** When one of several Redis was away, by the clock of the history. */
export type Outage = { readonly shard: number; readonly from: number; readonly to: number };

/**
 * What of a message lives on the Redis that is away. A request travels through the Redis of its sender; a device that signs
 * in meanwhile is sent nothing before the Redis of its user is heard. The last one is told of deliveries only, of messages of
 * which nothing else lives there.
 */
const parts = ['nothing', 'its group', 'its sender', 'its receiver'] as const;
type Part = (typeof parts)[number];

/** When a message was sent. */
const phases = ['before', 'away', 'back'] as const;
type Phase = (typeof phases)[number];

/** Milliseconds; undefined if nothing was measured. */
export type Spread = Readonly<Record<'p50' | 'p99' | 'most', number | undefined>>;

type OutageRow = {
  readonly part: Part;
  readonly phase: Phase;
  readonly messages: number;
  /** Until the sender has SUCCESS, on whichever connection. */
  readonly answered: Spread;
  /** Until a device that was connected when it was sent has it, on whichever connection. */
  readonly delivered: Spread;
};

export type OutageReport = {
  readonly rows: readonly OutageRow[];
  /** Of each outage, until its groups had all that was sent to them, or through the Redis that was away, before its end. */
  readonly whole: readonly { readonly groups: number; readonly p50Ms: number; readonly lastMs: number }[];
};

/** Whom to look at, and where they live. */
export type Placed = {
  /** The shard of a user; undefined: one who is not looked at. */
  readonly shardOfUser: (sid: string) => number | undefined;
  /** The shard of a group; undefined: one that is not looked at. */
  readonly shardOfGroup: (groupId: number) => number | undefined;
};

type Figures = {
  readonly messages: Set<SendRecord>;
  readonly answered: number[];
  readonly delivered: number[];
};

/** So long before and after an outage belongs to it, unless another one is there. */
const beforeMs = 20_000;
const backMs = 10_000;

/** What users noticed while one of several Redis was away: of those who have something there, and of all others. */
export function outageReport(history: History, outages: readonly Outage[], placed: Placed): OutageReport {
  const figures = new Map<string, Figures>();
  const figuresOf = (part: Part, phase: Phase): Figures => {
    const key = `${part}, ${phase}`;
    const known = figures.get(key) ?? { messages: new Set(), answered: [], delivered: [] };
    figures.set(key, known);
    return known;
  };
  const wholeAt = outages.map(() => new Map<number, number>());
  const noteWhole = ({ outage, part, phase }: Place, groupId: number, at: number) => {
    const groups = wholeAt[outages.indexOf(outage)];
    if (phase === 'away' && part !== 'nothing')
      groups?.set(groupId, Math.max(groups.get(groupId) ?? outage.to, at));
  };

  for (const send of history.sends) {
    const place = placeOf(send, outages, placed);
    if (!place) continue;
    const of = figuresOf(place.part, place.phase);
    of.messages.add(send);
    const answer = finalAnswer(send);
    if (answer?.ok) of.answered.push(answer.at - place.sentAt);
  }
  for (const { send, sid, at } of firstDeliveries(history, placed)) {
    const place = placeOf(send, outages, placed);
    if (!place) continue;
    const isReceiver = place.part === 'nothing' && placed.shardOfUser(sid) === place.outage.shard;
    const of = figuresOf(isReceiver ? 'its receiver' : place.part, place.phase);
    of.messages.add(send);
    of.delivered.push(at - place.sentAt);
    noteWhole(place, send.groupId, at);
  }
  return {
    rows: parts.flatMap((part) =>
      phases.map((phase) => {
        const { messages, answered, delivered } = figuresOf(part, phase);
        return {
          part,
          phase,
          messages: messages.size,
          answered: spread(answered),
          delivered: spread(delivered),
        };
      }),
    ),
    whole: outages.map(({ to }, index) => {
      const tookMs = [...(wholeAt[index]?.values() ?? [])].map((at) => at - to);
      return { groups: tookMs.length, p50Ms: quantile(tookMs, 0.5) ?? 0, lastMs: Math.max(0, ...tookMs) };
    }),
  };
}

type Place = {
  readonly sentAt: number;
  readonly outage: Outage;
  readonly phase: Phase;
  readonly part: Part;
};

function placeOf(send: SendRecord, outages: readonly Outage[], placed: Placed): Place | undefined {
  const sentAt = send.attempts[0]?.at;
  const ofUser = placed.shardOfUser(send.sid);
  const ofGroup = placed.shardOfGroup(send.groupId);
  if (sentAt === undefined || ofUser === undefined || ofGroup === undefined) return undefined;
  const within = (from: number, to: number) => sentAt >= from && sentAt < to;
  const found =
    at(outages, 'away', ({ from, to }) => within(from, to)) ??
    at(outages, 'back', ({ to }) => within(to, to + backMs)) ??
    at(outages, 'before', ({ from }) => within(from - beforeMs, from));
  if (!found) return undefined;
  const { shard } = found.outage;
  const part = ofUser === shard ? 'its sender' : ofGroup === shard ? 'its group' : 'nothing';
  return { ...found, sentAt, part };
}

function at(outages: readonly Outage[], phase: Phase, holds: (outage: Outage) => boolean) {
  const outage = outages.find(holds);
  return outage && { outage, phase };
}

/** When each device first had each message, if it was connected when that was sent and did not leave by itself meanwhile. */
function firstDeliveries(history: History, placed: Placed): { send: SendRecord; sid: string; at: number }[] {
  const sends = new Map(history.sends.map((send) => [send.content, send]));
  const connectionsOf = new Map<string, History['connections']>();
  for (const each of history.connections) append(connectionsOf, each.device, each);
  const seen = new Set<string>();
  return history.deliveries.flatMap(({ connection, content, at: arrivedAt, isKept }) => {
    const on = history.connections[connection];
    const send = sends.get(content);
    const sentAt = send?.attempts[0]?.at;
    if (!on || !send || sentAt === undefined || !isKept) return [];
    const key = `${on.device} ${content}`;
    if (placed.shardOfUser(on.sid) === undefined || seen.has(key)) return [];
    seen.add(key);
    const all = connectionsOf.get(on.device) ?? [];
    const first = all.findLastIndex(({ signInAt }) => signInAt <= sentAt);
    if (first === -1) return [];
    const before = all.slice(first, all.indexOf(on));
    return before.some(({ cutAt }) => cutAt !== undefined) ? [] : [{ send, sid: on.sid, at: arrivedAt }];
  });
}

function spread(values: readonly number[]): Spread {
  return { p50: quantile(values, 0.5), p99: quantile(values, 0.99), most: quantile(values, 1) };
}
