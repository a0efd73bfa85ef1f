import { connect, type TestClient } from '@hooligram/testkit';
import type { BrowserContextOptions } from 'playwright-core';
import { message, openChat, signIn, type User, type WebSystem } from './users.ts';

let rounds = 0;

/** Ada's chats: a busy group, and a few others. The users who write to her have no browser. @returns Ada */
export async function openSampleChats(system: WebSystem, options: BrowserContextOptions): Promise<User> {
  rounds += 1;
  const sidOf = (tail: number) => `44.77009${rounds}01${tail}`;
  const users: TestClient[] = [];
  for (const tail of [11, 12, 13]) {
    const user = await connect(system.stack.url);
    await user.signIn(sidOf(tail));
    users.push(user);
  }
  const [grace, linus, radia] = users as [TestClient, TestClient, TestClient];
  const begin = async (by: TestClient, group_name: string, tails: number[]) => {
    const member_sids = tails.map(sidOf);
    const { payload } = await by.requestOk('GROUP_CREATE_REQUEST', { group_name, member_sids });
    return payload.group_id as number;
  };
  const send = (sender: TestClient, group_id: number, content: string) =>
    sender.requestOk('MESSAGING_SEND_REQUEST', { group_id, content });
  await send(linus, await begin(linus, 'Allotment 14', [10, 12, 11, 13]), 'Who has the key to the shed?');
  await begin(radia, 'Thursday quiz', [10, 13, 12]);
  await send(radia, await begin(radia, '', [13, 10]), 'Tickets are booked, row F');
  await send(radia, await begin(radia, 'Family', [13, 10, 11]), 'Call me when you are home');
  const hikes = await begin(grace, 'Sunday hikes', [10, 11, 12, 13]);
  await send(grace, hikes, 'The forecast is good for Sunday. Over the ridge, or around the lake?');
  await send(linus, hikes, 'The ridge! We have put it off twice.');
  await send(linus, hikes, 'I can bring the big flask.');

  const ada = await system.newUser(0, `+44 77009 ${rounds} 0110`, options);
  await ada.page.evaluate(
    ([url, sid, names]) => localStorage.setItem(`hooligram notebook ${url} ${sid} names`, names ?? ''),
    [
      ada.proxy.url,
      sidOf(10),
      JSON.stringify({
        [sidOf(10)]: 'Ada Byron',
        [sidOf(11)]: 'Grace',
        [sidOf(12)]: 'Linus',
        [sidOf(13)]: 'Radia Perlman',
      }),
    ],
  );
  await signIn(ada);
  await openChat(ada, 'Sunday hikes');
  await message(ada.page, 'big flask').waitFor();
  const { page } = ada;
  const write = async (text: string) => {
    await page.getByLabel('Message', { exact: true }).fill(text);
    await page.getByRole('button', { name: 'Send' }).click();
    await message(page, text, 'Stored').waitFor();
  };
  await write('The ridge, then. Eight o’clock at the bridge?');
  await write('I will take the train at 7:12, if somebody wants company.');
  await send(radia, hikes, 'Eight is fine. I bring bread and a map that is older than all of us.');
  await message(page, 'older than all of us').waitFor();
  for (const user of users) await user.close();
  return ada;
}
