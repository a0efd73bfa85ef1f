/** A frame as it came, with the payload keys that Protocol V2 knows. */
export interface ReceivedFrame {
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
    readonly date_created?: string;
  };
}

/** What to look for: a type, or a question to each frame. */
export type FrameMatch = string | ((frame: ReceivedFrame) => boolean);

export function matches(frame: ReceivedFrame, match: FrameMatch): boolean {
  return typeof match === 'string' ? frame.type === match : match(frame);
}
