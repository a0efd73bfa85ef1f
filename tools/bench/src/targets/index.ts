import { ours } from './ours.ts';
import { scraped } from './scraped.ts';
import { socketio } from './socketio.ts';
import type { Target } from './target.ts';
import { traced } from './traced.ts';
import { uwsLimit } from './uws-limit.ts';

export const targets = {
  ours,
  socketio,
  'uws-limit': uwsLimit,
  scraped,
  traced,
} satisfies Record<string, Target>;

export type TargetName = keyof typeof targets;

/** Systems that differ: ours is no other one when it is scraped or traced. */
export const systemNames: readonly TargetName[] = ['ours', 'socketio', 'uws-limit'];

export const targetNames = Object.keys(targets) as readonly TargetName[];
