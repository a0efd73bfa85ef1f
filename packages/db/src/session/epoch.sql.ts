/** Whether the database is in this epoch. `epoch` is a parameter. Asked once a statement, whatever its rows. */
export const isInEpoch = (epoch: string) =>
  `(SELECT e.epoch FROM database_epoch e WHERE e.name = 'database') = ${epoch}::bigint`;
