import type { StackDescription } from '@hooligram/local';

const everyMs = 500;
const answerTimeoutMs = 1_000;
const reasonCharactersMax = 45;

/** What `/readyz` of gateways and of cores said while a fault lasted. */
export class ReadinessLog {
  readonly #stack: () => StackDescription;
  readonly #timer: NodeJS.Timeout;
  /** By role and check, the first reason. */
  #said = new Map<string, string>();

  constructor(stack: () => StackDescription) {
    this.#stack = stack;
    this.#timer = setInterval(() => void this.#look(), everyMs);
  }

  /** @returns what was said since this was asked last, one line for each role and check that failed */
  take(): string[] {
    const lines = [...this.#said].map(([check, reason]) => `${check}: ${reason}`).sort();
    this.#said = new Map();
    return lines;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    const { gateways, cores } = this.#stack();
    await Promise.all([
      ...gateways.map(({ admin }) => this.#ask('gateway', admin)),
      ...cores.map(({ admin }) => this.#ask('core', admin)),
    ]);
  }

  async #ask(role: string, admin: string): Promise<void> {
    try {
      const answer = await fetch(`${admin}/readyz`, { signal: AbortSignal.timeout(answerTimeoutMs) });
      if (answer.ok) return;
      const { checks } = (await answer.json()) as { checks: Record<string, string> };
      for (const [check, reason] of Object.entries(checks)) {
        if (reason !== 'ok') this.#note(`${role} ${check}`, reason);
      }
    } catch {
      this.#note(role, 'no answer');
    }
  }

  #note(key: string, reason: string): void {
    // What a store says itself comes behind the colon.
    const text = reason
      .replace(/: [A-Z]{3,}.*/s, '')
      .replace(/\d{3,}/g, 'N')
      .slice(0, reasonCharactersMax);
    if (!this.#said.has(key)) this.#said.set(key, text);
  }
}
