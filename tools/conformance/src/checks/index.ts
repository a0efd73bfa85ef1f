import type { Topic } from '../check.ts';
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

/** All checks, in the order in which they are made. */
export const topics: readonly Topic[] = [
  frames,
  connKeepAlive,
  verificationRequestCode,
  numbers,
  verificationSubmitCode,
  authorizationSignIn,
  replay,
  groupCreate,
  groupAddMember,
  groupLeave,
  groupClosing,
  groupDeliver,
  messagingSend,
  messagingDeliver,
  acknowledgement,
  repetition,
  badInput,
  mobileClient,
  sizes,
  badFrames,
];
