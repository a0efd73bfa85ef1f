/** A frame of the server, with the payload keys that Protocol V2 knows. */
export type ReceivedFrame = {
  readonly id: string;
  readonly type: string;
  readonly payload: {
    readonly errors?: readonly string[];
    readonly group_id?: number;
    readonly group_name?: string;
    readonly is_direct_message?: boolean;
    readonly member_sids?: readonly string[];
    readonly message_id?: number;
    readonly content?: string;
    readonly sender_sid?: string;
    readonly token?: string;
    readonly date_created?: string;
  };
};

/** Which frame is meant: one of a type, or one for which the function returns true. */
export type FrameMatch = string | ((frame: ReceivedFrame) => boolean);

/** What is asked of all frames received so far; undefined and false mean "not yet". */
export type Question<T> = (frames: readonly ReceivedFrame[]) => T | undefined | false;

export function matches(frame: ReceivedFrame, match: FrameMatch): boolean {
  return typeof match === 'string' ? frame.type === match : match(frame);
}

/** @param name of a transaction, without `_REQUEST`: `GROUP_CREATE` */
export function isAnswer({ id, type }: ReceivedFrame, name: string, requestId: string): boolean {
  return id === requestId && [`${name}_SUCCESS`, `${name}_FAILURE`, 'CONN_FRAME_FAILURE'].includes(type);
}
