import type { Check, Checks } from '../check.ts';
import { acknowledgement } from './acknowledgement.ts';
import { authorizationSignIn } from './authorization-sign-in.ts';
import { badFrames } from './bad-frames.ts';
import { badInput } from './bad-input.ts';
import { connKeepAlive } from './conn-keep-alive.ts';
import { frames } from './frames.ts';
import { groupAddMember } from './group-add-member.ts';
import { groupClosing } from './group-closing.ts';
import { groupCreate } from './group-create.ts';
import { groupDeliver } from './group-deliver.ts';
import { groupLeave } from './group-leave.ts';
import { messagingDeliver } from './messaging-deliver.ts';
import { messagingSend } from './messaging-send.ts';
import { mobileClient } from './mobile-client.ts';
import { numbers } from './numbers.ts';
import { repetition } from './repetition.ts';
import { replay } from './replay.ts';
import { sizes } from './sizes.ts';
import { verificationRequestCode } from './verification-request-code.ts';
import { verificationSubmitCode } from './verification-submit-code.ts';

/** In the order in which they are made. */
const topics: Readonly<Record<string, Checks>> = {
  frames,
  'conn-keep-alive': connKeepAlive,
  'verification-request-code': verificationRequestCode,
  numbers,
  'verification-submit-code': verificationSubmitCode,
  'authorization-sign-in': authorizationSignIn,
  replay,
  'group-create': groupCreate,
  'group-add-member': groupAddMember,
  'group-leave': groupLeave,
  'group-closing': groupClosing,
  'group-deliver': groupDeliver,
  'messaging-send': messagingSend,
  'messaging-deliver': messagingDeliver,
  acknowledgement,
  repetition,
  'bad-input': badInput,
  'mobile-client': mobileClient,
  sizes,
  'bad-frames': badFrames,
};

export const allChecks: readonly Check[] = Object.entries(topics).flatMap(([topic, checks]) =>
  Object.entries(checks).map(([text, run]) => {
    const [name = '', ...title] = text.split(': ');
    return { topic, name, title: title.join(': '), run };
  }),
);
