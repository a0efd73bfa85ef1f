import type { JobName } from './jobs.ts';
import type { NodeCallType } from './node-calls.ts';
import type { JsonTag } from './publications.ts';
import type { RequestType } from './requests.ts';

/**
 * One message of the contract, field by field, each with a sample. A newer version may add a message, and to a message fields
 * that it does without: those are `optional`, and say since which version they are. What a message needs it has needed
 * from its beginning: a version that needs more makes it another message, under another name.
 */
export type ContractMessage = {
  /** The version of the contract in which it came. */
  readonly since: number;
  readonly required: Readonly<Record<string, unknown>>;
  readonly optional?: Readonly<Record<string, readonly [since: number, sample: unknown]>>;
};

/**
 * Every version of the contract between gateways and cores, oldest first, with the digest of the names of its messages and
 * fields: a version that was released does not change any more. Whoever adds something to the tables adds a version.
 */
export const contractVersions: readonly { readonly version: number; readonly digest: string }[] = [
  { version: 1, digest: 'a8bf79afa3d55f1e' },
  { version: 2, digest: '6c0eab48bba3fb41' },
  { version: 3, digest: 'aad84ac60c2aac4a' },
  { version: 4, digest: 'd292c4fab626e659' },
];

/** What this process speaks; in the metric `build_info`. */
export const contractVersion = contractVersions.length;

type Exchange = { readonly params: ContractMessage; readonly answer: ContractMessage };
type Call = { readonly params: ContractMessage; readonly reply: ContractMessage };

const groupState = {
  group_id: 1,
  version: 2,
  version_seq: 3,
  date_created: '2026-11-22T07:08:57.123Z',
  group_name: '',
  is_direct_message: true,
  closed: false,
  members: [[1, '1.5550100', 0]],
};
const nothing: ContractMessage = { since: 1, required: {} };
const phone = { country_code: '1', phone_number: '5550100' };
const drain = { kind: 'none', left: 0 };
const cursor = { user_id: 1, group_id: 2, delivered_seq: 3, delivered_version: 4 };
const membership = {
  group_id: 2,
  version: 1,
  closed: false,
  joined_seq: 0,
  last_seq: 3,
  delivered_seq: 3,
  delivered_version: 1,
  retried_version: 0,
};

/** What gateways request of cores, and the answers of those that succeed. */
export const requestTable = {
  VERIFICATION_REQUEST_CODE: {
    params: { since: 1, required: { connection_id: 'c', address: 'a', ...phone } },
    answer: nothing,
  },
  VERIFICATION_SUBMIT_CODE: {
    params: { since: 1, required: { connection_id: 'c', address: 'a', verification_code: '000000' } },
    answer: {
      since: 1,
      required: {},
      optional: { token: [1, 't'], user_id: [1, 1], credential_version: [1, 1] },
    },
  },
  AUTHORIZATION_SIGN_IN: {
    params: { since: 1, required: { address: 'a', ...phone, verification_code: '000000' } },
    answer: {
      since: 1,
      required: { user_id: 1, sid: '1.5550100', group_ids: [2] },
      optional: { delivered_seqs: [1, [3]], credential_version: [1, 1] },
    },
  },
  GROUP_CREATE: {
    params: {
      since: 1,
      required: {
        user_id: 1,
        sid: '1.5550100',
        repeatable: true,
        group_name: '',
        member_sids: ['1.5550100'],
      },
    },
    answer: { since: 1, required: { group_id: 2 } },
  },
  GROUP_ADD_MEMBER: {
    params: { since: 1, required: { user_id: 1, repeatable: true, group_id: 2, member_sid: '1.5550101' } },
    answer: nothing,
  },
  GROUP_LEAVE: {
    params: {
      since: 1,
      required: { user_id: 1, repeatable: true, group_id: 2 },
      optional: { reads_state: [3, true] },
    },
    answer: { since: 1, required: { state: groupState }, optional: { version: [3, 2] } },
  },
  MESSAGING_SEND: {
    params: {
      since: 1,
      required: { user_id: 1, sid: '1.5550100', repeatable: true, group_id: 2, content: 'text' },
    },
    answer: { since: 1, required: { message_id: 1 } },
  },
  REPLAY_GROUPS: {
    params: {
      since: 1,
      required: { user_id: 1, group_ids: [2] },
      optional: { is_sign_in: [1, true] },
    },
    answer: {
      since: 1,
      required: { memberships: [membership] },
      optional: { all_group_ids: [1, [2]], credential_version: [1, 1] },
    },
  },
  GROUP_STATES: {
    params: { since: 1, required: { group_ids: [2] } },
    answer: { since: 1, required: { states: [groupState], looked: 1 } },
  },
  GROUP_HEADS: {
    params: { since: 1, required: { group_ids: [2] } },
    answer: { since: 1, required: { heads: [[2, 1, 3]] } },
  },
  REPLAY_PAGE: {
    params: {
      since: 1,
      required: { group_id: 2, after_seq: 0 },
      optional: { user_id: [1, 1], limit: [1, 10] },
    },
    answer: {
      since: 1,
      required: { group_id: 2, version: 1, last_seq: 1, through_seq: 1, messages: [[1, 1, '{}']] },
    },
  },
  MESSAGE_LOOKUP: {
    params: { since: 1, required: { user_id: 1, message_ids: [1] } },
    answer: { since: 1, required: { found: [[1, 2, 3]] } },
  },
  GROUP_IDS: {
    params: { since: 1, required: { user_ids: [1] } },
    answer: { since: 1, required: { group_ids: [[2]] }, optional: { credential_versions: [1, [1]] } },
  },
  OVERDUE_REPORT: {
    params: { since: 1, required: { user_ids: [1] }, optional: { owed: [1, [[1, 2]]] } },
    answer: {
      since: 1,
      required: {},
      optional: { cursors: [1, [{ ...cursor, retried_version: 0 }]] },
    },
  },
  CURSOR_RAISE: {
    params: { since: 1, required: { cursors: [cursor] }, optional: { epoch: [1, 0] } },
    answer: nothing,
  },
} as const satisfies Readonly<Record<RequestType, Exchange>>;

/** What is published as JSON, by its type tag. Messages have a fixed header: another one is another tag. */
export const publicationTable: Readonly<Record<JsonTag, ContractMessage>> = {
  s: { since: 1, required: groupState },
  j: { since: 1, required: { user_id: 1, group_id: 2, since: 0 } },
  a: { since: 1, required: { group_id: 2, version: 1, last_seq: 3, due_seq: 3, due_version: 1 } },
  n: { since: 1, required: { user_id: 1, token: 't', reply_to: 'c' } },
  e: { since: 1, required: { user_id: 1 } },
  c: { since: 1, required: { user_id: 1, version: 2, connection_id: '' } },
  t: { since: 1, required: { traced: [[1, 'context']] } },
  u: { since: 2, required: { user_id: 1, gateway: 'g', signed_in_at: [1_700_000_000_000] } },
  q: { since: 2, required: { user_id: 1 } },
};

/** The data of jobs. */
export const jobTable = {
  'delivery-check': { since: 1, required: { bucket: 500 } },
  redelivery: {
    since: 1,
    required: { user_id: 1 },
    optional: {
      messages: [1, { tries: 1, mark: '' }],
      group_states: [1, [{ group_id: 2, version: 1, tries: 1 }]],
    },
  },
  sweep: { since: 1, required: {}, optional: { from_start: [1, true] } },
} as const satisfies Readonly<Record<JobName, ContractMessage>>;

/** What operators ask of nodes. */
export const nodeCallTable = {
  STATUS: {
    params: nothing,
    reply: {
      since: 1,
      required: {
        release: '0.1.0',
        host: 'h',
        pid: 1,
        started_at: '2026-11-22T07:08:57.123Z',
        admin_port: 1,
        is_ready: true,
        failing: [],
        rss_bytes: 1,
        busy_percent: 1,
        gateway: { connections: 1, users: 1, groups: 1, requests_pending: 0, drain },
      },
      optional: { signing_keys: [2, ['k']] },
    },
  },
  DRAIN: { params: { since: 1, required: { rate_max: null } }, reply: { since: 1, required: drain } },
  DRAIN_STOP: { params: nothing, reply: { since: 1, required: drain } },
  SHED: {
    params: { since: 1, required: { connections: 1, rate_max: null } },
    reply: { since: 1, required: drain },
  },
  WHEREABOUTS: {
    params: { since: 1, required: { user_ids: [1], group_id: null } },
    reply: { since: 1, required: { users: [{ user_id: 1, connections: 1, delivered_seq: null }] } },
  },
  SESSIONS_END: {
    params: { since: 1, required: { user_id: 1 } },
    reply: { since: 1, required: { closed: 1 } },
  },
} as const satisfies Readonly<Record<NodeCallType, Call>>;

/** What carries all others, and what gateways publish. */
export const otherTable = {
  /** The fields of an entry of the request stream, beside its layout (`v`), whose values are texts. */
  entry: {
    since: 1,
    required: { node: 'n', deadline: '1', requests: '[]' },
    optional: { signature: [1, 's'] },
  },
  request: {
    since: 1,
    required: { ref: 1, request_id: 'id', type: 'CURSOR_RAISE', params: { cursors: [] } },
    optional: { trace: [1, 'context'], again: [4, true] },
  },
  answer: { since: 1, required: { ref: 1, ok: true, answer: {} }, optional: { epoch: [1, 0] } },
  refusal: { since: 1, required: { ref: 1, ok: false, errors: ['closed'] }, optional: { epoch: [1, 0] } },
  'redelivery acknowledged': { since: 1, required: { user_id: 1, token: 't' } },
  stopping: { since: 2, required: { node: 'n' } },
  level: { since: 1, required: { node: 'n', connections: 1, is_open: true } },
} as const satisfies Readonly<Record<string, ContractMessage>>;
