/** What one tab tells the others of this browser, which hold the same person's chats. */
type News = { readonly signedOut: string } | { readonly readBy: string; readonly groupId: number };

type TabsOwner = {
  onSignedOut(sid: string): void;
  onRead(sid: string, groupId: number): void;
};

export class Tabs {
  readonly #channel: BroadcastChannel;

  /** @param url of the server; tabs with another one have other people */
  constructor(url: string, owner: TabsOwner) {
    this.#channel = new BroadcastChannel(`hooligram ${url}`);
    this.#channel.onmessage = ({ data }: MessageEvent<News>) => {
      if ('signedOut' in data) owner.onSignedOut(data.signedOut);
      else owner.onRead(data.readBy, data.groupId);
    };
  }

  signedOut(sid: string): void {
    this.#tell({ signedOut: sid });
  }

  read(sid: string, groupId: number): void {
    this.#tell({ readBy: sid, groupId });
  }

  #tell(news: News): void {
    this.#channel.postMessage(news);
  }
}
