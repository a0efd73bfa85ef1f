/**
 * A column that fails the statement when its deadline has passed. Behind a function in FROM it is evaluated when that
 * has run, with all its locks, and before the commit. `deadline` is a parameter: milliseconds since the epoch, by the
 * database's clock, or null.
 */
export const withinDeadline = (deadline: string) =>
  `within_deadline(to_timestamp(${deadline}::float8 / 1000)) AS within_deadline`;
