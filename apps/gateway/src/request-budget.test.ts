import { expect, test } from '@jest/globals';
import { RequestBudget } from './request-budget.ts';

class Holder {
  held = 0;
  readonly budget: RequestBudget;
  constructor(budget: RequestBudget) {
    this.budget = budget;
  }

  add(bytes: number): string | undefined {
    const refusal = this.budget.refusal(this.held, bytes);
    if (!refusal) this.held = this.budget.move(this.held, bytes);
    return refusal;
  }

  free(bytes: number): void {
    this.held = this.budget.move(this.held, -bytes);
  }
}

test('a connection holds its own bytes and no more, but one request always finds room', () => {
  const ada = new Holder(new RequestBudget({ connectionBytesMax: 100, gatewayBytesMax: 10_000 }));
  expect(ada.add(150)).toBeUndefined();
  expect(ada.add(1)).toBe('connection');
  ada.free(150);
  expect(ada.add(60)).toBeUndefined();
  expect(ada.add(41)).toBe('connection');
  expect(ada.add(40)).toBeUndefined();
});

test('when the gateway is short of room, those who hold most are refused, and the others are not', () => {
  const budget = new RequestBudget({ connectionBytesMax: 1_000, gatewayBytesMax: 1_000 });
  const [greedy, ada, bob] = [new Holder(budget), new Holder(budget), new Holder(budget)];
  expect(greedy.add(450)).toBeUndefined();
  expect(ada.add(10)).toBeUndefined();
  expect(greedy.add(100)).toBe('gateway');
  expect(bob.add(40)).toBeUndefined();
  expect(greedy.add(1)).toBe('gateway');
  expect(bob.add(100)).toBeUndefined();
  expect(bob.add(100)).toBe('gateway');
  expect(ada.add(10)).toBeUndefined();
  greedy.free(450);
  expect(greedy.add(100)).toBeUndefined();
  expect(bob.add(100)).toBeUndefined();
});

test('nothing goes beyond what the gateway has, and nothing is left when all is answered', () => {
  const budget = new RequestBudget({ connectionBytesMax: 1_000, gatewayBytesMax: 1_000 });
  const holders = Array.from({ length: 200 }, () => new Holder(budget));
  for (const holder of holders) holder.add(500);
  for (const holder of holders) holder.add(3);
  expect(budget.bytes).toBeLessThanOrEqual(1_000);
  expect(budget.bytes).toBeGreaterThan(500);
  for (const holder of holders) holder.free(holder.held);
  expect(budget.bytes).toBe(0);
  expect(new Holder(budget).add(500)).toBeUndefined();
});
