import { ours } from './ours.ts';
import { socketio } from './socketio.ts';
import type { Target } from './target.ts';
import { uwsLimit } from './uws-limit.ts';

export const targets = { ours, socketio, 'uws-limit': uwsLimit } satisfies Record<string, Target>;

export type TargetName = keyof typeof targets;

export const targetNames = Object.keys(targets) as readonly TargetName[];
