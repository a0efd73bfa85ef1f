import {
  type ClientRequestType,
  closeReasons,
  errorTexts,
  failure,
  frameFailure,
  isClientRequestType,
  needsSignIn,
  readFrameHead,
  tryAgainIn,
} from '@hooligram/protocol';
import type { ClientSocket } from '../client-socket.ts';
import type { GatewayMetrics } from '../metrics.ts';
import type { Judgement } from './connection-limits.ts';

type Session = {
  readonly socket: ClientSocket;
  readonly user: object | undefined;
  readonly limits: { readonly waitSeconds: number } | undefined;
};

/** `busy`: the limits let it pass, and it has no room. */
type NotRead = Exclude<Judgement, 'read'> | 'busy';

/**
 * Does what a limit said about a frame, without parsing it. A request gets its FAILURE, which says when to try again; what
 * no client waits for is ignored: acknowledgements come again with their delivery.
 */
export function refuseUnread(
  { socket, user, limits }: Session,
  frame: Uint8Array,
  judgement: NotRead,
  metrics: Pick<GatewayMetrics, 'framesIgnored'>,
): void {
  if (judgement === 'close') {
    socket.end(closeReasons.tooFast);
    return;
  }
  const head = readFrameHead(frame);
  const isRefused = judgement === 'refuse' || judgement === 'busy';
  const text =
    judgement === 'busy'
      ? errorTexts.serverBusy.text
      : tryAgainIn(errorTexts.tooManyRequests.text, limits?.waitSeconds ?? 0);
  if (isRefused && !head) socket.sendLater(frameFailure('', [text]));
  else if (isRefused && head && isAnswered(head.type)) {
    const isRefusedAnyway = !user && isClientRequestType(head.type) && needsSignIn(head.type);
    const error = isRefusedAnyway ? errorTexts.notSignedIn.text : text;
    socket.sendLater(failure(head.type as ClientRequestType, head.id, [error]));
  } else metrics.framesIgnored(judgement === 'ignore' ? 'server-type' : 'too-many').count += 1;
}

/** Requests are, but for those that only the server sends. */
function isAnswered(type: string): boolean {
  return type.endsWith('_REQUEST') && !type.endsWith('_DELIVER_REQUEST');
}
