import { expect, test } from '@jest/globals';
import { excesses } from '../src/excesses.ts';
import { duplicateTimes } from '../src/verdict/count-duplicates.ts';
import type { Answer, Attempt, SendRecord } from '../src/verdict/ledger.ts';
import { judge } from '../src/verdict/verdict.ts';
import { ada, bob, cem, deliver, type HandMade, handMade, say } from './hand-made.ts';

/** Breaks a clean ledger in one way, and tells what kinds of faults are found. */
function broken(breakIt: (made: HandMade) => void): string[] {
  const made = handMade();
  breakIt(made);
  return judge(made.ledger, made.truth).map(({ kind }) => kind);
}

const message = ({ truth }: HandMade, seq: number) => {
  const found = truth.messages.find((stored) => stored.seq === seq);
  if (!found) throw new Error(`no message ${seq}`);
  return found;
};

const forget = ({ ledger }: HandMade, gone: (messageId: number, connection: number) => boolean) => {
  const kept = ledger.deliveries.filter(({ messageId, connection }) => !gone(messageId, connection));
  ledger.deliveries.splice(0, Number.POSITIVE_INFINITY, ...kept);
};

test('a ledger that agrees with the database has no fault', () => {
  expect(judge(handMade().ledger, handMade().truth)).toEqual([]);
});

test('a message that a member has not got is lost', () => {
  expect(broken((made) => forget(made, (id, connection) => id === 102 && connection === 1))).toEqual([
    'lost',
  ]);
});

test('a message that a member was given but did not keep is lost', () => {
  const kinds = broken(({ ledger }) => {
    ledger.deliveries.forEach((delivery, i) => {
      if (delivery.messageId === 104 && delivery.connection === 3) {
        ledger.deliveries[i] = { ...delivery, isKept: false };
      }
    });
  });
  expect(kinds).toEqual(['lost']);
});

test('a message that the other device of the person has kept is not lost', () => {
  expect(broken((made) => forget(made, (id, connection) => id === 103 && connection === 0))).toEqual([]);
});

test('a message with SUCCESS that is not stored is lost', () => {
  const kinds = broken((made) => {
    forget(made, (id) => id === 104);
    made.truth.messages.pop();
  });
  expect(kinds).toEqual(['lost']);
});

test('a message that was told and given while the database lost what it had is not held against anybody', () => {
  const lose = (made: HandMade, from: number, to: number) => {
    made.truth.messages.pop();
    made.ledger.losses.push({ from, to });
  };
  expect(broken((made) => lose(made, 71, 75))).toEqual([]);
  // Sent after it, or told before it: that had to be kept.
  expect(broken((made) => lose(made, 50, 70))).toContain('lost');
  expect(broken((made) => lose(made, 72, 75))).toContain('lost');
});

test('what was stored while somebody was away is not owed to them, and not what they missed before leaving', () => {
  expect(broken((made) => forget(made, (id, connection) => id < 103 && connection === 2))).toEqual([]);
});

test('a message stored after somebody left, or before they were added, is misdelivered to them', () => {
  const kinds = broken((made) => {
    made.ledger.connections.push({ sid: cem, device: `${cem}#2`, signInAt: 5 });
    deliver(made.ledger, message(made, 3), 5, 45);
  });
  expect(kinds).toEqual(['misdelivered']);
});

test('a message reaches somebody who never was a member', () => {
  const kinds = broken((made) => {
    made.ledger.connections.push({ sid: '1.5550109', device: '1.5550109#1', signInAt: 0 });
    deliver(made.ledger, message(made, 1), 5, 90);
  });
  expect(kinds).toEqual(['misdelivered']);
});

test('an old message after the SUCCESS of the LEAVE, on the connection that was told, is misdelivered', () => {
  expect(broken((made) => deliver(made.ledger, message(made, 1), 2, 32))).toEqual(['misdelivered']);
  expect(broken((made) => deliver(made.ledger, message(made, 1), 2, 29))).toEqual([]);
});

test('an old message on another connection is misdelivered only if that one signed in after the leave', () => {
  const onAnother = (signInAt: number) => (made: HandMade) => {
    made.ledger.connections.push({ sid: cem, device: `${cem}#2`, signInAt });
    deliver(made.ledger, message(made, 1), 5, 35);
  };
  expect(broken(onAnother(5))).toEqual([]);
  expect(broken(onAnother(34))).toEqual(['misdelivered']);
});

test('a delivery of something that is not stored is misdelivered', () => {
  const kinds = broken((made) => deliver(made.ledger, { ...message(made, 1), messageId: 999 }, 1, 90));
  expect(kinds).toEqual(['misdelivered']);
});

test('one content under two request ids is stored twice', () => {
  const kinds = broken(({ ledger, truth }) => {
    const again = { ...message({ ledger, truth }, 4), messageId: 105, seq: 5, requestId: 'r-another' };
    truth.messages.push(again);
    for (const connection of [0, 2, 3]) deliver(ledger, again, connection, 90);
  });
  expect(kinds).toEqual(['stored twice']);
});

test('a group that one request made twice, and a leave that was done twice, are found', () => {
  const groups = broken(({ truth }) => truth.groups.push({ groupId: 8, name: 'hikes' }));
  expect(groups).toEqual(['stored twice']);
  const leaves = broken(({ truth }) => {
    const again = { groupId: 7, sid: cem, seq: 4 };
    truth.memberships.push({ ...again, change: 'left' }, { ...again, change: 'joined' });
    truth.memberships.push({ ...again, change: 'left' });
  });
  expect(leaves).toEqual(['stored twice', 'stored twice']);
});

test('deliveries to one connection out of order are found, repetitions are not', () => {
  const kinds = broken((made) => {
    forget(made, (_, connection) => connection === 1);
    for (const seq of [1, 3, 2]) deliver(made.ledger, message(made, seq), 1, 44 + seq);
  });
  expect(kinds).toEqual(['reordered']);
  expect(broken((made) => deliver(made.ledger, message(made, 1), 1, 90))).toEqual([]);
});

test('messages stored against the order of sending are found', () => {
  const kinds = broken((made) => {
    const [first, second] = [message(made, 1), message(made, 2)];
    [first.requestId, second.requestId] = [second.requestId, first.requestId];
    [first.content, second.content] = [second.content, first.content];
    made.ledger.deliveries.forEach((delivery, i) => {
      const stored = made.truth.messages.find(({ messageId }) => messageId === delivery.messageId);
      made.ledger.deliveries[i] = { ...delivery, content: stored?.content ?? '' };
    });
    for (const send of made.ledger.sends) {
      const stored = made.truth.messages.find(({ requestId }) => requestId === send.id);
      for (const { answer } of send.attempts) {
        if (answer?.ok && stored) Object.assign(answer, { messageId: stored.messageId });
      }
    }
  });
  expect(kinds).toEqual(['reordered']);
});

test('a message that got FAILURE first may be stored after one that was sent later', () => {
  const kinds = broken((made) => {
    const [first, second] = made.ledger.sends;
    first?.attempts.unshift({ connection: 0, at: 3, answer: { ok: false, at: 4, errors: ['server busy'] } });
    second?.attempts.unshift({ connection: 0, at: 2, answer: { ok: false, at: 4, errors: ['server busy'] } });
  });
  expect(kinds).toEqual([]);
});

test('content that changed on the way to the database, or from there to a client, is found', () => {
  const stored = broken((made) => {
    forget(made, (id) => id === 104);
    message(made, 4).content = 'other words';
    for (const connection of [0, 2, 3]) deliver(made.ledger, message(made, 4), connection, 72);
  });
  expect(stored).toEqual(['altered']);
  const given = broken((made) =>
    deliver(made.ledger, { ...message(made, 4), content: 'other words' }, 3, 90),
  );
  expect(given).toEqual(['altered']);
});

test('a FAILURE of what is stored is a wrong answer, unless an attempt without answer may have stored it', () => {
  const failure = { ok: false, at: 82, errors: ['server busy'] } as const;
  const storeGivenUp = (made: HandMade) => {
    say(made, { messageId: 105, seq: 5, at: 80, readers: [0, 2, 3] });
    const [attempt] = made.ledger.sends.at(-1)?.attempts ?? [];
    if (attempt) attempt.answer = failure;
  };
  expect(broken(storeGivenUp)).toEqual(['wrong answer']);
  const withUnanswered = broken((made) => {
    storeGivenUp(made);
    made.ledger.sends.at(-1)?.attempts.unshift({ connection: 0, at: 79 });
  });
  expect(withUnanswered).toEqual([]);
});

test('two answers with different messages, no answer at all, and a leave that was not done are wrong answers', () => {
  const different = broken(({ ledger }) => {
    const answer = { ok: true, at: 90, messageId: 999 } as const;
    ledger.sends[0]?.attempts.push({ connection: 4, at: 89, answer });
  });
  expect(different).toEqual(['wrong answer']);
  const none = broken(({ ledger }) => {
    for (const attempt of ledger.sends[2]?.attempts ?? []) delete attempt.answer;
  });
  expect(none).toEqual(['wrong answer']);
  const undone = broken(({ ledger }) => {
    const attempts = [{ connection: 1, at: 90, answer: { ok: true, at: 91 } as const }];
    ledger.changes.push({ kind: 'leave', sid: bob, id: 'leave-2', attempts, groupId: 7 });
  });
  expect(undone).toEqual(['wrong answer']);
});

/** Makes the newest message one that went out once, under an id by which the database does not know it. */
function once(made: HandMade): { answer(answer: Answer | undefined): void } {
  const index = made.ledger.sends.findIndex(({ content }) => content === message(made, 4).content);
  const send = made.ledger.sends[index] as SendRecord;
  made.ledger.sends[index] = { ...send, id: '1764000000000', isOnce: true };
  return {
    answer(answer) {
      const [attempt] = send.attempts as [Attempt];
      if (answer) attempt.answer = answer;
      else delete attempt.answer;
    },
  };
}

test('a message that goes out once may lose its answer, stored or not', () => {
  expect(broken((made) => once(made).answer(undefined))).toEqual([]);
  const kinds = broken((made) => {
    once(made).answer(undefined);
    forget(made, (id) => id === 104);
    made.truth.messages.pop();
  });
  expect(kinds).toEqual([]);
});

test('a message that goes out once is judged by its answer, and is lost like every other', () => {
  const busy = { ok: false, at: 71, errors: ['server busy'] } as const;
  expect(broken((made) => once(made).answer(busy))).toEqual(['wrong answer']);
  expect(broken((made) => once(made).answer({ ok: true, at: 71, messageId: 4711 }))).toEqual([
    'wrong answer',
  ]);
  const kinds = broken((made) => {
    once(made);
    forget(made, (id) => id === 104);
    made.truth.messages.pop();
  });
  expect(kinds).toEqual(['lost']);
  const unsent = broken((made) => {
    once(made);
    forget(made, (id, connection) => id === 104 && connection === 1);
    forget(made, (id, connection) => id === 104 && connection === 3);
  });
  expect(unsent).toEqual(['lost']);
});

test('a client that is sent one state again and again, or told that it sends no frames, is a trouble', () => {
  expect(excesses([{ name: 'a', stateTimesMax: 20, frameFailures: 0 }])).toEqual([]);
  expect(excesses([{ name: 'a', stateTimesMax: 21, frameFailures: 0 }])).toHaveLength(1);
  expect(excesses([{ name: 'a', stateTimesMax: 1, frameFailures: 1 }])).toHaveLength(1);
});

test('a repetition is counted for the device that had it before, not for another device of the person', () => {
  const made = handMade();
  expect(duplicateTimes(made.ledger)).toEqual([]);
  // Connection 3 is a later one of the same device as 1; 4 is Ada's other device.
  deliver(made.ledger, message(made, 1), 3, 90);
  deliver(made.ledger, message(made, 1), 4, 91);
  expect(duplicateTimes(made.ledger)).toEqual([90]);
  expect(made.ledger.connections[4]?.sid).toBe(ada);
});
