import { connect, type TestClient } from '@hooligram/testkit';
import type { BrowserContextOptions } from 'playwright-core';
import { message, openChat, type Person, signIn, type Town } from './people.ts';

let rounds = 0;

/** Ada's chats: a group that talks, and a few others. Those who talk with her have no browser. */
export async function scene(town: Town, options: BrowserContextOptions): Promise<Person> {
  rounds += 1;
  const sidOf = (tail: number) => `44.77009${rounds}01${tail}`;
  const people: TestClient[] = [];
  for (const tail of [11, 12, 13]) {
    const somebody = await connect(town.system.url);
    await somebody.signIn(sidOf(tail));
    people.push(somebody);
  }
  const [grace, linus, radia] = people as [TestClient, TestClient, TestClient];
  const begin = async (by: TestClient, group_name: string, tails: number[]) => {
    const member_sids = tails.map(sidOf);
    const { payload } = await by.requestOk('GROUP_CREATE_REQUEST', { group_name, member_sids });
    return payload.group_id as number;
  };
  const say = (who: TestClient, group_id: number, content: string) =>
    who.requestOk('MESSAGING_SEND_REQUEST', { group_id, content });
  await say(linus, await begin(linus, 'Allotment 14', [10, 12, 11, 13]), 'Who has the key to the shed?');
  await begin(radia, 'Thursday quiz', [10, 13, 12]);
  await say(radia, await begin(radia, '', [13, 10]), 'Tickets are booked, row F');
  await say(radia, await begin(radia, 'Family', [13, 10, 11]), 'Call me when you are home');
  const hikes = await begin(grace, 'Sunday hikes', [10, 11, 12, 13]);
  await say(grace, hikes, 'The forecast is good for Sunday. Over the ridge, or around the lake?');
  await say(linus, hikes, 'The ridge! We have put it off twice.');
  await say(linus, hikes, 'I can bring the big flask.');

  const ada = await town.stranger(0, `+44 77009 ${rounds} 0110`, options);
  await ada.page.evaluate(
    ([url, sid, names]) => localStorage.setItem(`hooligram notebook ${url} ${sid} names`, names ?? ''),
    [
      ada.way.url,
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
  await say(radia, hikes, 'Eight is fine. I bring bread and a map that is older than all of us.');
  await message(page, 'older than all of us').waitFor();
  for (const person of people) await person.close();
  return ada;
}
