/** Of the pass that a portion goes on with. */
export type Pass = {
  /** Nothing more is to be done now: the pass has ended, or another core is at it. */
  readonly is_over: boolean;
  /** How many milliseconds before the portion the pass began; 0 of its first portion. */
  readonly pass_ms: number;
};

/** SQL for `pass_ms`. It sees what was there before the portion. */
export function passMsOf(walk: 'answers' | 'messages'): string {
  return `coalesce((
    SELECT extract(epoch FROM clock_timestamp() - u.date_begun) * 1000
    FROM upkeep u WHERE u.name = '${walk}' AND u.place IS NOT NULL), 0)::float8 AS pass_ms`;
}
