/** A notice of one tab to the others of this browser, which show the same chats. */
type News = { readonly signedOut: string } | { readonly readBy: string; readonly groupId: number };

type TabsOwner = {
  onSignedOut(sid: string): void;
  onRead(sid: string, groupId: number): void;
};

export class Tabs {
  readonly #channel: BroadcastChannel;

  /** @param url of the server; tabs of another server have other users */
  constructor(url: string, owner: TabsOwner) {
    this.#channel = new BroadcastChannel(`hooligram ${url}`);
    this.#channel.onmessage = ({ data }: MessageEvent<News>) => {
      if ('signedOut' in data) owner.onSignedOut(data.signedOut);
      else owner.onRead(data.readBy, data.groupId);
    };
  }

  signedOut(sid: string): void {
    this.#send({ signedOut: sid });
  }

  read(sid: string, groupId: number): void {
    this.#send({ readBy: sid, groupId });
  }

  #send(news: News): void {
    this.#channel.postMessage(news);
  }
}
