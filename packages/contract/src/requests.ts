import type { Cursor, GroupState, Membership, StoredCursor, StoredMessage } from './state.ts';

/**
 * What a gateway requests of the core, by type: what goes in and what a success answers. The first seven are the
 * client's requests of Protocol V2 under their own names; the others are the gateway's own.
 */
export type Requests = {
  VERIFICATION_REQUEST_CODE: {
    params: { connection_id: string; address: string; country_code: string; phone_number: string };
    answer: Record<string, never>;
  };
  VERIFICATION_SUBMIT_CODE: {
    params: { connection_id: string; address: string; verification_code: string };
    /**
     * `token`: signs in as the code does, and voids it. `credential_version`: of this user's new credential. A core of the
     * release before answers nothing.
     */
    answer: { token?: string; user_id?: number; credential_version?: number };
  };
  AUTHORIZATION_SIGN_IN: {
    params: { address: string; country_code: string; phone_number: string; verification_code: string };
    /**
     * `group_ids`: the groups to subscribe to before the memberships are read. `delivered_seqs`, in the same order:
     * where the user's cursors stood when the credential was checked. `credential_version`: with which one; a core of the
     * release before does not say.
     */
    answer: {
      user_id: number;
      sid: string;
      group_ids: number[];
      delivered_seqs?: number[];
      credential_version?: number;
    };
  };
  GROUP_CREATE: {
    params: { user_id: number; sid: string; repeatable: boolean; group_name: string; member_sids: string[] };
    answer: { group_id: number };
  };
  GROUP_ADD_MEMBER: {
    params: { user_id: number; repeatable: boolean; group_id: number; member_sid: string };
    answer: Record<string, never>;
  };
  GROUP_LEAVE: {
    /** `reads_state`: the gateway reads by itself what the answer leaves out. One of an earlier release does not. */
    params: { user_id: number; repeatable: boolean; group_id: number; reads_state?: boolean };
    /**
     * The state without the member who left. Of a group with more members than are ever published its `version` alone. The
     * gateway applies a state of at least that version before it answers the one who left.
     */
    answer: { state: GroupState | null; version?: number };
  };
  MESSAGING_SEND: {
    params: { user_id: number; sid: string; repeatable: boolean; group_id: number; content: string };
    answer: { message_id: number };
  };
  /**
   * Where the user stands in these groups; those in which the user is no member are left out. `is_sign_in`: the user signs
   * in, and the gateway may have missed that they were added somewhere.
   */
  REPLAY_GROUPS: {
    params: { user_id: number; group_ids: number[]; is_sign_in?: boolean };
    /**
     * `all_group_ids`, `credential_version`: at a sign-in, all groups of the user and the version of their credential, as
     * GROUP_IDS answers them. Left out if the user has too many groups for it, and by a core of the release before.
     */
    answer: { memberships: Membership[]; all_group_ids?: number[]; credential_version?: number };
  };
  /**
   * The states of the first of these groups, in their order, as many as fit into an answer, one at least. `looked`: how
   * many of the groups that was; one of them without a state does not exist.
   */
  GROUP_STATES: {
    params: { group_ids: number[] };
    answer: { states: GroupState[]; looked: number };
  };
  /** How far groups are. One that does not exist is left out. */
  GROUP_HEADS: {
    params: { group_ids: number[] };
    answer: { heads: (readonly [group_id: number, version: number, last_seq: number])[] };
  };
  /**
   * What follows `after_seq` in a group, oldest first; at most `limit` messages, and at most what the core is configured
   * for. `user_id`: whose turn it takes at the core; none if all of a gateway need it.
   */
  REPLAY_PAGE: {
    params: { group_id: number; after_seq: number; user_id?: number; limit?: number };
    answer: ReplayPage;
  };
  /** Acknowledged messages that the gateway no longer knows. Answers those of the user's groups. */
  MESSAGE_LOOKUP: {
    params: { user_id: number; message_ids: number[] };
    answer: { found: [message_id: number, group_id: number, seq: number][] };
  };
  /**
   * The groups of one user who signs in, or of several, for a gateway that may have missed that they were added
   * somewhere.
   */
  GROUP_IDS: {
    params: { user_ids: number[] };
    /**
     * In the order of `user_ids`. `credential_versions`: of their credentials, for a gateway that may have missed that there
     * is a newer one.
     */
    answer: { group_ids: number[][]; credential_versions?: number[] };
  };
  /** Users with connections here who have not acknowledged in time. */
  OVERDUE_REPORT: {
    /** `owed`: groups of these users in which an acknowledgement is missing here. */
    params: { user_ids: number[]; owed?: [user_id: number, group_id: number][] };
    /**
     * `cursors`: what is stored for the `owed` of users for whom nothing is overdue. They have acknowledged on
     * another gateway, or what is missing is too young.
     */
    answer: { cursors?: StoredCursor[] };
  };
  /** Raises cursors, if the database is still in the epoch in which they were acknowledged (0 unless given). */
  CURSOR_RAISE: {
    params: { epoch?: number; cursors: Cursor[] };
    answer: Record<string, never>;
  };
};

export type ReplayPage = {
  readonly group_id: number;
  /** A reader needs a state of at least this version. */
  readonly version: number;
  /** The group's newest `seq` in the snapshot; the page holds all of (`after_seq`, `through_seq`]. */
  readonly last_seq: number;
  readonly through_seq: number;
  readonly messages: readonly StoredMessage[];
};

export type RequestType = keyof Requests;
export type ParamsOf<K extends RequestType> = Requests[K]['params'];
export type AnswerOf<K extends RequestType> = Requests[K]['answer'];

/**
 * One request on its way to the core. `ref` is the gateway's own number for the answer; `request_id` is the
 * frame's UUID or one that the gateway made, and makes a second run answer what the first one did. `trace`: a
 * `traceparent` of W3C Trace Context, if the request is traced; a core that does not trace ignores it. `again`: it may be in
 * the stream already, so another core may run it, too, before or after this one. What is refused then must stay refused; a
 * core of the release before does not know that.
 */
export type CoreRequest<K extends RequestType = RequestType> = {
  [P in K]: {
    ref: number;
    request_id: string;
    type: P;
    params: ParamsOf<P>;
    trace?: string;
    again?: boolean;
  };
}[K];

/** What became of a request. `errors` are texts for the client. */
export type Outcome<K extends RequestType = RequestType> =
  | { readonly ok: true; readonly answer: AnswerOf<K> }
  | { readonly ok: false; readonly errors: readonly string[] };

/** `epoch`: of the database when this was done, 0 unless given. The history of an earlier one is gone. */
export type CoreAnswer = { ref: number; epoch?: number } & Outcome;
