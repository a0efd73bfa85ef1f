import { ours } from './ours.ts';
import { scraped } from './scraped.ts';
import { socketio } from './socketio.ts';
import type { Target } from './target.ts';
import { uwsLimit } from './uws-limit.ts';

export const targets = { ours, socketio, 'uws-limit': uwsLimit, scraped } satisfies Record<string, Target>;

export type TargetName = keyof typeof targets;

/** Systems that differ: a system that is scraped is no other one. */
export const systemNames: readonly TargetName[] = ['ours', 'socketio', 'uws-limit'];

export const targetNames = Object.keys(targets) as readonly TargetName[];
