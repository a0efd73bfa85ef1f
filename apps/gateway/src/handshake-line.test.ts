import { expect, test } from '@jest/globals';
import { watchedLoop } from '../test/watched-loop.ts';
import { HandshakeLine, type LineRefusal } from './handshake-line.ts';

const inTime = 0;
const late = 100;

function fixture({ perSecondMax = 100, waitingMax = 100, waitMaxMs = 8_000, isNoticed = true } = {}) {
  const clock = { nowMs: 0 };
  const waited: number[] = [];
  const answers: string[] = [];
  const loop = watchedLoop(isNoticed);
  const line = new HandshakeLine(
    { perSecondMax, waitingMax, waitMaxMs, lateMaxMs: 5, onLetIn: (ms) => waited.push(ms) },
    loop,
    () => clock.nowMs,
  );
  const come = (name: string, network = name) => {
    const handshake = {
      network,
      letIn: () => void answers.push(name),
      refuse: (reason: LineRefusal) => void answers.push(`${name}: ${reason}`),
    };
    if (line.passes()) handshake.letIn();
    else line.enter(handshake);
    return handshake;
  };
  const comeDelayed = (name: string, network: string, delayMs: number) => {
    const handshake = {
      network,
      letIn: () => void answers.push(name),
      refuse: (reason: LineRefusal) => void answers.push(`${name}: ${reason}`),
    };
    line.delay(handshake, delayMs);
    return handshake;
  };
  const pass = (ms: number, lateMs = inTime) => {
    clock.nowMs += ms;
    line.look(clock.nowMs, lateMs);
  };
  return { line, loop, answers, waited, come, comeDelayed, pass, clock };
}

test('one that comes alone is let in at once, and nobody looks at the event loop for it', () => {
  const { line, loop, answers, come, clock } = fixture();
  for (let second = 0; second < 5; second += 1) {
    come(`client ${second}`);
    clock.nowMs += 1_000;
  }
  expect(answers).toHaveLength(5);
  expect([line.waiting, loop.isLookedAt]).toEqual([0, false]);
});

test('those beyond the rate wait, and networks take turns, each in its order', () => {
  const { line, loop, answers, waited, come, pass } = fixture();
  come('first');
  for (const name of ['many 1', 'many 2', 'many 3']) come(name, 'many');
  come('ada');
  come('bob');
  expect([answers, line.waiting, loop.isLookedAt]).toEqual([['first'], 5, true]);
  expect([line.waitingOf('many'), line.waitingOf('ada'), line.waitingOf('nobody')]).toEqual([3, 1, 0]);
  for (let turn = 0; turn < 5; turn += 1) pass(10);
  expect(answers).toEqual(['first', 'many 1', 'ada', 'bob', 'many 2', 'many 3']);
  expect(waited).toEqual([10, 20, 30, 40, 50]);
  expect([line.waiting, line.waitingOf('many'), loop.isLookedAt]).toEqual([0, 0, false]);
});

test('nobody overtakes those who wait', () => {
  const { answers, come, pass, clock } = fixture();
  come('first');
  come('second');
  clock.nowMs += 10;
  come('third');
  pass(0);
  pass(10);
  expect(answers).toEqual(['first', 'second', 'third']);
});

test('fewer get in while the event loop is late, a hundred a second at least, and all of the rate again when it is in time', () => {
  const { answers, come, pass } = fixture({ perSecondMax: 1_000, waitingMax: 10_000 });
  for (let count = 0; count < 10_000; count += 1) come(`client ${count}`);
  const letInOf = (seconds: number, lateMs: number) => {
    const before = answers.length;
    for (let ms = 0; ms < seconds * 1_000; ms += 10) pass(10, lateMs);
    return answers.length - before;
  };
  letInOf(1, late);
  const least = letInOf(1, late);
  expect(least).toBeGreaterThanOrEqual(100);
  expect(least).toBeLessThan(150);
  letInOf(2, inTime);
  expect(letInOf(1, inTime)).toBe(1_000);
});

test('while others are there a thousand a second get in at first, more when the event loop is in time; else all of the rate', () => {
  const letInOf = (isNoticed: boolean) => {
    const { answers, come, pass } = fixture({ perSecondMax: 5_000, waitingMax: 100_000, isNoticed });
    for (let count = 0; count < 30_000; count += 1) come(`client ${count}`);
    return Array.from({ length: 3 }, () => {
      const before = answers.length;
      for (let ms = 0; ms < 1_000; ms += 10) pass(10, inTime);
      return answers.length - before;
    });
  };
  const [first = 0, second = 0, third = 0] = letInOf(true);
  expect([first < 1_300, second > first + 400, third > second + 400]).toEqual([true, true, true]);
  expect(letInOf(false)).toEqual([5_000, 5_000, 5_000]);
});

test('a pause of the process lets no more in at once than come at once to one that is idle', () => {
  const { answers, come, pass } = fixture({ perSecondMax: 1_000 });
  for (let count = 0; count < 100; count += 1) come(`client ${count}`);
  expect(answers).toHaveLength(10);
  pass(5_000);
  expect(answers).toHaveLength(20);
});

test('while others are there ten come in one turn at first, and a late event loop makes them no fewer; else fifty', () => {
  const atOnce = (isNoticed: boolean, lateMs: number) => {
    const { answers, come, pass } = fixture({ perSecondMax: 5_000, isNoticed });
    for (let count = 0; count < 100; count += 1) come(`client ${count}`);
    const first = answers.length;
    for (let turn = 0; turn < 3; turn += 1) pass(100, lateMs);
    return [first, answers.length - first];
  };
  expect(atOnce(true, late)).toEqual([10, 30]);
  expect(atOnce(false, inTime)).toEqual([50, 50]);
});

test('one more than may wait is refused, and so is who has waited too long', () => {
  const { line, answers, come, pass } = fixture({ perSecondMax: 1, waitingMax: 2, waitMaxMs: 1_500 });
  for (const name of ['first', 'second', 'third', 'fourth']) come(name);
  expect(answers).toEqual(['first', 'fourth: line full']);
  pass(1_000);
  pass(499);
  expect(answers.slice(2)).toEqual(['second']);
  pass(1);
  expect(answers.slice(3)).toEqual(['third: waited']);
  expect(line.waiting).toBe(0);
});

test('very many whose time is over are refused in portions', () => {
  const { answers, come, pass } = fixture({ perSecondMax: 1, waitMaxMs: 10 });
  for (let count = 0; count < 101; count += 1) come(`client ${count}`);
  pass(10);
  expect(answers).toHaveLength(33);
  for (let turn = 0; turn < 3; turn += 1) pass(5);
  expect(answers).toHaveLength(101);
});

test('who leaves is neither let in nor refused, and takes nobody’s turn', () => {
  const { line, loop, answers, come, pass } = fixture();
  come('first');
  const gone = come('gone', 'many');
  come('second', 'many');
  line.leave(gone);
  line.leave(gone);
  pass(10);
  expect(answers).toEqual(['first', 'second']);
  line.leave(come('last'));
  expect([line.waiting, loop.isLookedAt]).toEqual([0, false]);
});

test('when the gateway stops, all who wait are told, and who comes later', () => {
  const { line, loop, answers, come } = fixture();
  for (const name of ['first', 'second', 'third']) come(name);
  line.close();
  come('fourth');
  expect(answers).toEqual(['first', 'second: stopping', 'third: stopping', 'fourth: stopping']);
  expect([line.waiting, loop.isLookedAt]).toEqual([0, false]);
});

test('those that are delayed come after their time, keep nobody waiting, and count as waiting', () => {
  const { line, loop, answers, come, comeDelayed, pass } = fixture();
  comeDelayed('flooder 1', 'flooders', 2_000);
  const gone = comeDelayed('flooder 2', 'flooders', 2_000);
  expect([line.waiting, line.waitingOf('flooders'), loop.isLookedAt]).toEqual([2, 2, true]);
  come('ada');
  pass(1_999, late);
  expect(answers).toEqual(['ada']);
  line.leave(gone);
  pass(1);
  expect(answers).toEqual(['ada', 'flooder 1']);
  expect([line.waiting, line.waitingOf('flooders'), loop.isLookedAt]).toEqual([0, 0, false]);
});

test('each comes after its own delay, whoever was delayed before it, also if that one has gone', () => {
  const { line, answers, comeDelayed, pass, clock } = fixture();
  const long = comeDelayed('long', 'flooders', 3_000);
  comeDelayed('short', 'flooders', 1_000);
  comeDelayed('other', 'others', 2_000);
  const cameAt = (ms: number) => {
    pass(ms - clock.nowMs);
    return answers.splice(0);
  };
  expect([cameAt(999), cameAt(1_000), cameAt(1_999)]).toEqual([[], ['short'], []]);
  line.leave(long);
  comeDelayed('last', 'flooders', 2_000);
  expect([cameAt(2_000), cameAt(3_998), cameAt(3_999)]).toEqual([['other'], [], ['last']]);
  expect(line.waiting).toBe(0);
});

test('those that are delayed take no more than half of the room, come in at the rate, and are refused at the end', () => {
  const { line, loop, answers, come, comeDelayed, pass } = fixture({ waitingMax: 6 });
  for (let n = 1; n <= 4; n += 1) comeDelayed(`flooder ${n}`, 'flooders', 2_000);
  expect(answers.splice(0)).toEqual(['flooder 4: line full']);
  come('first');
  come('second');
  expect([answers.splice(0), line.waiting]).toEqual([['first'], 4]);
  pass(2_000);
  pass(10);
  expect(answers.splice(0).sort()).toEqual(['flooder 1', 'second']);
  comeDelayed('flooder 5', 'flooders', 2_000);
  line.close();
  expect(answers.splice(0).sort()).toEqual([
    'flooder 2: stopping',
    'flooder 3: stopping',
    'flooder 5: stopping',
  ]);
  expect([line.waiting, loop.isLookedAt]).toEqual([0, false]);
});
