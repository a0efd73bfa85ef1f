import {
  type ClientFrameType,
  groupNameCharactersMax,
  type PayloadOf,
  type ServerFrameType,
  verificationCodeCharactersMax,
} from '@hooligram/protocol';

type KeysOf<T> = T extends unknown ? keyof T : never;
type FieldName = KeysOf<PayloadOf<ClientFrameType | ServerFrameType>>;

/** The meaning of each payload field, with the rules that JSON Schema cannot express. */
export const fieldTexts = {
  after_groups:
    'In a request: answer when the states of all groups were sent. In its SUCCESS: they were. Optional.',
  content: 'Any Unicode text but NUL and lone surrogates, delivered exactly as sent.',
  country_code: 'Assigned country code of a phone number, ASCII digits, no plus sign.',
  date_created: 'ISO 8601 in UTC with milliseconds, by the clock of the server.',
  errors: 'One text for each fault.',
  group_id: 'Names a group.',
  group_name: `At most ${groupNameCharactersMax} code points; only a direct message's may be empty.`,
  is_direct_message: 'Whether the group was created with exactly two distinct members.',
  member_sid: 'The user to add, who must exist.',
  member_sids:
    'In a request: at least two distinct users, the creator among them. In a delivery: all members, sorted by UTF-16 code unit.',
  message_id: 'Unique in the whole system; grows in the order in which the messages of a group were stored.',
  phone_number:
    'Phone number without the country code and without the national prefix, ASCII digits; both together have at most 15.',
  sender_sid: 'The user who sent the message.',
  token:
    'Signs in as `verification_code`, in place of the code, which is void from then on. Optional; a client that does not know it keeps the code.',
  verification_code: `The code that was sent to the phone; at a sign-in also the token. At most ${verificationCodeCharactersMax} code points.`,
} as const satisfies Record<FieldName, string>;
