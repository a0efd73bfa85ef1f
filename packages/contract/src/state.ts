/**
 * A group's state: what a `GROUP_DELIVER_REQUEST` says, with what a gateway needs to keep membership exact.
 *
 * Every change of a group raises `version` by one under the group's row lock. `version_seq` is the group's
 * `last_seq` at that moment: messages up to it were stored under an older version, messages beyond it under
 * this version or a newer one.
 */
export type GroupState = {
  readonly group_id: number;
  readonly version: number;
  readonly version_seq: number;
  /** ISO 8601, UTC, milliseconds; constant for the group. */
  readonly date_created: string;
  readonly group_name: string;
  readonly is_direct_message: boolean;
  readonly closed: boolean;
  /** Sorted by sid, by code unit. */
  readonly members: readonly StateMember[];
};

/** How far a group is that has changed: all that is told of one that is too large for a publication. */
export type GroupVersion = Pick<GroupState, 'group_id' | 'version' | 'version_seq'>;

/** `joined_seq`: the member gets messages with a greater `seq`, no others. */
export type StateMember = readonly [user_id: number, sid: string, joined_seq: number];

/** How far one user has acknowledged one group. Cursors only grow. */
export type Cursor = {
  readonly user_id: number;
  readonly group_id: number;
  readonly delivered_seq: number;
  readonly delivered_version: number;
};

/** A cursor as the database has it. States up to `retried_version` were sent as often as they ever will be. */
export type StoredCursor = Cursor & { readonly retried_version: number };

/** Where one of its members stands in a group, on sign-in or on being added. The state is read once a gateway. */
export type Membership = {
  readonly group_id: number;
  readonly version: number;
  readonly closed: boolean;
  /** The member gets messages with a greater `seq`, no others. */
  readonly joined_seq: number;
  /** The group's newest `seq` when this was read, in the same snapshot as the rest. */
  readonly last_seq: number;
  readonly delivered_seq: number;
  readonly delivered_version: number;
  readonly retried_version: number;
};

/** A stored message as the gateways pass it on: its place in the group and the ready frame. */
export type StoredMessage = readonly [seq: number, message_id: number, frame: string];
