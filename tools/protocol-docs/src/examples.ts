export type Example = {
  /** The line before the block: `Client requests a code`, `Server answers`. */
  readonly line: string;
  readonly frame: { readonly id: string; readonly type: string; readonly payload: object };
};

/** The frames that the protocol's page shows, in order. @param markdown docs/protocol.md */
export function exampleFrames(markdown: string): Example[] {
  return [...markdown.matchAll(/^(.*):\n\n?```json\n([\s\S]*?)\n```$/gm)].map(([, line = '', text = '']) => ({
    line,
    frame: JSON.parse(text) as Example['frame'],
  }));
}
