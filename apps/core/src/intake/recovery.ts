import type { CoreRequest, Outcome } from '@hooligram/contract';
import { isInfrastructureError } from '@hooligram/db';
import type { Context } from '../context.ts';
import { recoverGroupChanges } from '../publishing/recover-group-changes.ts';
import { recoverMessages } from '../publishing/recover-messages.ts';
import { cursorRaiseHandler } from '../requests/cursor-raise.ts';
import { overdueReportHandler } from '../requests/overdue-report.ts';

/**
 * What an earlier run of these requests did, published and answered again; nothing is begun. It may have ended
 * between its commit and telling anybody. One that cannot even be looked up, for a reason of its own, was not done,
 * and costs the others nothing.
 *
 * @returns undefined for what was not done, or needs no answer any more
 * @throws trouble that is the database's
 */
export async function recover(
  context: Context,
  requests: readonly CoreRequest[],
): Promise<(Outcome | undefined)[]> {
  try {
    return await recoverAll(context, requests);
  } catch (error) {
    if (isInfrastructureError(error)) throw error;
    context.log.error({ requests: requests.length, err: error }, 'recovery failed');
  }
  if (requests.length === 1) return [undefined];
  const outcomes: (Outcome | undefined)[] = [];
  for (const request of requests) outcomes.push(...(await recover(context, [request])));
  return outcomes;
}

async function recoverAll(
  context: Context,
  requests: readonly CoreRequest[],
): Promise<(Outcome | undefined)[]> {
  const outcomes = new Map<CoreRequest, Outcome>();
  await recoverMessages(context, requests, outcomes);
  await recoverGroupChanges(context, requests, outcomes);
  // These hold whenever they come.
  const cursors = requests.filter((request) => request.type === 'CURSOR_RAISE');
  if (cursors.length > 0) await cursorRaiseHandler.run(context, cursors);
  const reports = requests.filter((request) => request.type === 'OVERDUE_REPORT');
  if (reports.length > 0) await overdueReportHandler.run(context, reports);
  return requests.map((request) => outcomes.get(request));
}
