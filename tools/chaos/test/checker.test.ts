import { expect, test } from '@jest/globals';
import { check } from '../src/checker/check.ts';
import { duplicateTimes } from '../src/checker/count-duplicates.ts';
import type { Answer, Attempt, SendRecord } from '../src/checker/history.ts';
import { excesses } from '../src/excesses.ts';
import { ada, bob, cem, deliver, type Fixture, fixture, storeMessage } from './fixture.ts';

/** Breaks a clean history in one way. @returns the types of the violations that are found */
function broken(breakIt: (records: Fixture) => void): string[] {
  const records = fixture();
  breakIt(records);
  return check(records.history, records.snapshot).map(({ type }) => type);
}

const message = ({ snapshot }: Fixture, seq: number) => {
  const found = snapshot.messages.find((stored) => stored.seq === seq);
  if (!found) throw new Error(`no message ${seq}`);
  return found;
};

const forget = ({ history }: Fixture, gone: (messageId: number, connection: number) => boolean) => {
  const kept = history.deliveries.filter(({ messageId, connection }) => !gone(messageId, connection));
  history.deliveries.splice(0, Number.POSITIVE_INFINITY, ...kept);
};

test('a history that agrees with the database has no violation', () => {
  expect(check(fixture().history, fixture().snapshot)).toEqual([]);
});

test('a message that a member has not received is lost', () => {
  expect(broken((records) => forget(records, (id, connection) => id === 102 && connection === 1))).toEqual([
    'lost',
  ]);
});

test('a message that a member received but did not keep is lost', () => {
  const types = broken(({ history }) => {
    history.deliveries.forEach((delivery, i) => {
      if (delivery.messageId === 104 && delivery.connection === 3) {
        history.deliveries[i] = { ...delivery, isKept: false };
      }
    });
  });
  expect(types).toEqual(['lost']);
});

test('a message that the other device of the user has kept is not lost', () => {
  expect(broken((records) => forget(records, (id, connection) => id === 103 && connection === 0))).toEqual(
    [],
  );
});

test('a message with SUCCESS that is not stored is lost', () => {
  const types = broken((records) => {
    forget(records, (id) => id === 104);
    records.snapshot.messages.pop();
  });
  expect(types).toEqual(['lost']);
});

test('a message that was answered and delivered while the database lost commits is no violation', () => {
  const lose = (records: Fixture, from: number, to: number) => {
    records.snapshot.messages.pop();
    records.history.losses.push({ from, to });
  };
  expect(broken((records) => lose(records, 71, 75))).toEqual([]);
  // Sent after the loss, or answered before it: such a message had to be kept.
  expect(broken((records) => lose(records, 50, 70))).toContain('lost');
  expect(broken((records) => lose(records, 72, 75))).toContain('lost');
});

test('a message that was stored while a user was no member, or that they missed before leaving, is not owed to them', () => {
  expect(broken((records) => forget(records, (id, connection) => id < 103 && connection === 2))).toEqual([]);
});

test('a message that was stored after a user left, or before they were added, is misdelivered to them', () => {
  const types = broken((records) => {
    records.history.connections.push({ sid: cem, device: `${cem}#2`, signInAt: 5 });
    deliver(records.history, message(records, 3), 5, 45);
  });
  expect(types).toEqual(['misdelivered']);
});

test('a message that reaches a user who never was a member is misdelivered', () => {
  const types = broken((records) => {
    records.history.connections.push({ sid: '1.5550109', device: '1.5550109#1', signInAt: 0 });
    deliver(records.history, message(records, 1), 5, 90);
  });
  expect(types).toEqual(['misdelivered']);
});

test('an old message after the SUCCESS of the leave, on the connection of that answer, is misdelivered', () => {
  expect(broken((records) => deliver(records.history, message(records, 1), 2, 32))).toEqual(['misdelivered']);
  expect(broken((records) => deliver(records.history, message(records, 1), 2, 29))).toEqual([]);
});

test('an old message on another connection is misdelivered only if that one signed in after the leave', () => {
  const onAnother = (signInAt: number) => (records: Fixture) => {
    records.history.connections.push({ sid: cem, device: `${cem}#2`, signInAt });
    deliver(records.history, message(records, 1), 5, 35);
  };
  expect(broken(onAnother(5))).toEqual([]);
  expect(broken(onAnother(34))).toEqual(['misdelivered']);
});

test('a delivery of a message that is not stored is misdelivered', () => {
  const types = broken((records) =>
    deliver(records.history, { ...message(records, 1), messageId: 999 }, 1, 90),
  );
  expect(types).toEqual(['misdelivered']);
});

test('one content under two request ids is stored twice', () => {
  const types = broken(({ history, snapshot }) => {
    const again = { ...message({ history, snapshot }, 4), messageId: 105, seq: 5, requestId: 'r-another' };
    snapshot.messages.push(again);
    for (const connection of [0, 2, 3]) deliver(history, again, connection, 90);
  });
  expect(types).toEqual(['stored twice']);
});

test('a group that one request records twice, and a leave that was done twice, are found', () => {
  const groups = broken(({ snapshot }) => snapshot.groups.push({ groupId: 8, name: 'hikes' }));
  expect(groups).toEqual(['stored twice']);
  const leaves = broken(({ snapshot }) => {
    const again = { groupId: 7, sid: cem, seq: 4 };
    snapshot.memberships.push({ ...again, change: 'left' }, { ...again, change: 'joined' });
    snapshot.memberships.push({ ...again, change: 'left' });
  });
  expect(leaves).toEqual(['stored twice', 'stored twice']);
});

test('deliveries to one connection out of order are found, repetitions are not', () => {
  const types = broken((records) => {
    forget(records, (_, connection) => connection === 1);
    for (const seq of [1, 3, 2]) deliver(records.history, message(records, seq), 1, 44 + seq);
  });
  expect(types).toEqual(['reordered']);
  expect(broken((records) => deliver(records.history, message(records, 1), 1, 90))).toEqual([]);
});

test('messages stored against the order of sending are found', () => {
  const types = broken((records) => {
    const [first, second] = [message(records, 1), message(records, 2)];
    [first.requestId, second.requestId] = [second.requestId, first.requestId];
    [first.content, second.content] = [second.content, first.content];
    records.history.deliveries.forEach((delivery, i) => {
      const stored = records.snapshot.messages.find(({ messageId }) => messageId === delivery.messageId);
      records.history.deliveries[i] = { ...delivery, content: stored?.content ?? '' };
    });
    for (const send of records.history.sends) {
      const stored = records.snapshot.messages.find(({ requestId }) => requestId === send.id);
      for (const { answer } of send.attempts) {
        if (answer?.ok && stored) Object.assign(answer, { messageId: stored.messageId });
      }
    }
  });
  expect(types).toEqual(['reordered']);
});

test('a message that got FAILURE first may be stored after one that was sent later', () => {
  const types = broken((records) => {
    const [first, second] = records.history.sends;
    first?.attempts.unshift({ connection: 0, at: 3, answer: { ok: false, at: 4, errors: ['server busy'] } });
    second?.attempts.unshift({ connection: 0, at: 2, answer: { ok: false, at: 4, errors: ['server busy'] } });
  });
  expect(types).toEqual([]);
});

test('content that changed on the way to the database, or from there to a client, is found', () => {
  const stored = broken((records) => {
    forget(records, (id) => id === 104);
    message(records, 4).content = 'other words';
    for (const connection of [0, 2, 3]) deliver(records.history, message(records, 4), connection, 72);
  });
  expect(stored).toEqual(['altered']);
  const given = broken((records) =>
    deliver(records.history, { ...message(records, 4), content: 'other words' }, 3, 90),
  );
  expect(given).toEqual(['altered']);
});

test('a FAILURE of what is stored is a wrong answer, unless an attempt without answer may have stored it', () => {
  const failure = { ok: false, at: 82, errors: ['server busy'] } as const;
  const storeGivenUp = (records: Fixture) => {
    storeMessage(records, { messageId: 105, seq: 5, at: 80, readers: [0, 2, 3] });
    const [attempt] = records.history.sends.at(-1)?.attempts ?? [];
    if (attempt) attempt.answer = failure;
  };
  expect(broken(storeGivenUp)).toEqual(['wrong answer']);
  const withUnanswered = broken((records) => {
    storeGivenUp(records);
    records.history.sends.at(-1)?.attempts.unshift({ connection: 0, at: 79 });
  });
  expect(withUnanswered).toEqual([]);
});

test('two answers with different messages, no answer at all, and a leave that was not done are wrong answers', () => {
  const different = broken(({ history }) => {
    const answer = { ok: true, at: 90, messageId: 999 } as const;
    history.sends[0]?.attempts.push({ connection: 4, at: 89, answer });
  });
  expect(different).toEqual(['wrong answer']);
  const none = broken(({ history }) => {
    for (const attempt of history.sends[2]?.attempts ?? []) delete attempt.answer;
  });
  expect(none).toEqual(['wrong answer']);
  const undone = broken(({ history }) => {
    const attempts = [{ connection: 1, at: 90, answer: { ok: true, at: 91 } as const }];
    history.changes.push({ type: 'leave', sid: bob, id: 'leave-2', attempts, groupId: 7 });
  });
  expect(undone).toEqual(['wrong answer']);
});

/** Makes the newest message one that went out once, under an id by which the database does not know it. */
function once(records: Fixture): { answer(answer: Answer | undefined): void } {
  const index = records.history.sends.findIndex(({ content }) => content === message(records, 4).content);
  const send = records.history.sends[index] as SendRecord;
  records.history.sends[index] = { ...send, id: '1764000000000', isOnce: true };
  return {
    answer(answer) {
      const [attempt] = send.attempts as [Attempt];
      if (answer) attempt.answer = answer;
      else delete attempt.answer;
    },
  };
}

test('a message that goes out once may lose its answer, stored or not', () => {
  expect(broken((records) => once(records).answer(undefined))).toEqual([]);
  const types = broken((records) => {
    once(records).answer(undefined);
    forget(records, (id) => id === 104);
    records.snapshot.messages.pop();
  });
  expect(types).toEqual([]);
});

test('a message that goes out once is checked by its answer, and can be lost like every other', () => {
  const busy = { ok: false, at: 71, errors: ['server busy'] } as const;
  expect(broken((records) => once(records).answer(busy))).toEqual(['wrong answer']);
  expect(broken((records) => once(records).answer({ ok: true, at: 71, messageId: 4711 }))).toEqual([
    'wrong answer',
  ]);
  const types = broken((records) => {
    once(records);
    forget(records, (id) => id === 104);
    records.snapshot.messages.pop();
  });
  expect(types).toEqual(['lost']);
  const unsent = broken((records) => {
    once(records);
    forget(records, (id, connection) => id === 104 && connection === 1);
    forget(records, (id, connection) => id === 104 && connection === 3);
  });
  expect(unsent).toEqual(['lost']);
});

test('a client that receives one state again and again, or whose frames are refused as no frames, is a problem', () => {
  expect(excesses([{ name: 'a', stateTimesMax: 20, frameFailures: 0 }], [])).toEqual([]);
  const often = [{ name: 'a', stateTimesMax: 21, frameFailures: 0 }];
  expect(excesses(often, ['kill-gateway', 'kill-redis'])).toHaveLength(1);
  expect(excesses(often, ['flushall'])).toEqual([]);
  expect(excesses([{ name: 'a', stateTimesMax: 1, frameFailures: 1 }], [])).toHaveLength(1);
});

test('a repetition is counted for the device that had it before, not for another device of the user', () => {
  const records = fixture();
  expect(duplicateTimes(records.history)).toEqual([]);
  // Connection 3 is a later one of the same device as 1; 4 is Ada's other device.
  deliver(records.history, message(records, 1), 3, 90);
  deliver(records.history, message(records, 1), 4, 91);
  expect(duplicateTimes(records.history)).toEqual([90]);
  expect(records.history.connections[4]?.sid).toBe(ada);
});
