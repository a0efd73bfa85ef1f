import type { Db } from '@hooligram/db';

/** A node of a plan, as Postgres writes it in JSON. */
type PlanNode = {
  readonly 'Node Type': string;
  readonly 'Subplan Name'?: string;
  readonly 'CTE Name'?: string;
  readonly 'Shared Hit Blocks'?: number;
  readonly 'Shared Read Blocks'?: number;
  readonly Plans?: readonly PlanNode[];
};

/** Blocks that statements looked at, and those of them that were not in the buffers of Postgres. */
export type Blocks = { readonly all: number; readonly read: number };

const settings = {
  'auto_explain.log_analyze': 'on',
  'auto_explain.log_buffers': 'on',
  'auto_explain.log_timing': 'off',
  // Plans come to the client, as notices.
  client_min_messages: 'log',
};
const off = '-1';

/**
 * The plans of the very statements that a core runs, as they are run. `db` must have one connection. Until the first plan is
 * asked for, and after the last one, nothing is explained.
 */
export class Plans {
  readonly #db: Db;
  #notices: string[] = [];

  private constructor(db: Db) {
    this.#db = db;
  }

  /** @throws Error when this Postgres comes without auto_explain */
  static async of(db: Db): Promise<Plans> {
    const plans = new Plans(db);
    const client = await db.pool.connect();
    client.on('notice', ({ message }) => message && plans.#notices.push(message));
    await client.query("LOAD 'auto_explain'");
    for (const [name, value] of Object.entries(settings)) await client.query(`SET ${name} = ${value}`);
    client.release();
    return plans;
  }

  /** @returns the blocks of all statements of `work`, and of what they call */
  async blocksOf(work: () => Promise<unknown>): Promise<Blocks> {
    const notices = await this.#explained(work, { format: 'json', nested: 'off' });
    const plans = notices.map((notice) => JSON.parse(notice.slice(notice.indexOf('{'))).Plan as PlanNode);
    return {
      all: sum(plans.map((plan) => blocks(plan).all)),
      read: sum(plans.map((plan) => blocks(plan).read)),
    };
  }

  /** @returns the plans of `work` as text, also those of the statements inside of functions */
  async textOf(work: () => Promise<unknown>): Promise<string> {
    return (await this.#explained(work, { format: 'text', nested: 'on' })).join('\n\n');
  }

  async #explained(
    work: () => Promise<unknown>,
    { format, nested }: { format: 'json' | 'text'; nested: 'on' | 'off' },
  ): Promise<string[]> {
    const { pool } = this.#db;
    await pool.query(
      `SET auto_explain.log_format = ${format}; SET auto_explain.log_nested_statements = ${nested};
       SET auto_explain.log_min_duration = 0`,
    );
    this.#notices = [];
    try {
      await work();
      return this.#notices.filter((notice) => notice.startsWith('duration: '));
    } finally {
      await pool.query(`SET auto_explain.log_min_duration = ${off}`);
    }
  }
}

/**
 * What a node counts contains what its children count. But a part of a WITH that changes rows and that nobody reads is run when
 * the statement is over, and is in no other node.
 */
export function blocks(plan: PlanNode): Blocks {
  const nodes = allNodes(plan);
  const isRead = new Set(nodes.map((node) => node['CTE Name']));
  const alone = nodes.filter((node) => {
    const [, name] = /^CTE (.+)$/.exec(node['Subplan Name'] ?? '') ?? [];
    return name !== undefined && node['Node Type'] === 'ModifyTable' && !isRead.has(name);
  });
  const counted = [plan, ...alone];
  const read = sum(counted.map((node) => node['Shared Read Blocks'] ?? 0));
  return { all: read + sum(counted.map((node) => node['Shared Hit Blocks'] ?? 0)), read };
}

function allNodes(plan: PlanNode): PlanNode[] {
  return [plan, ...(plan.Plans ?? []).flatMap(allNodes)];
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}
