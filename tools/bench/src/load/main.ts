import type { Call, Calls, Reply } from './calls.ts';
import { Scene } from './scene.ts';

// Started by load-process.ts; ends with it.
const progressMs = 1_000;

let scene: Scene | undefined;
let comeBack: (() => Promise<{ messages: number; elapsedMs: number }>) | undefined;

function current(): Scene {
  if (!scene) throw new Error('nobody is there yet');
  return scene;
}

const calls: Calls = {
  settle(population) {
    scene = new Scene(population);
    return scene.settle();
  },
  exchange: (seconds, pace) => current().exchange(seconds, pace),
  leave: async () => current().leave(),
  storm: (together) => current().storm(together),
  async miss(messages) {
    comeBack = await current().missAndReturn(messages);
  },
  async comeBack() {
    if (!comeBack) throw new Error('nobody missed anything');
    return comeBack();
  },
};

process.on('disconnect', () => process.exit());
process.on('message', ({ name, params }: Call) => {
  const call = calls[name] as (...params: unknown[]) => Promise<unknown>;
  call(...params).then(
    (result) => tell({ result }),
    (error: Error) => tell({ error: error.message }),
  );
});
setInterval(() => scene && tell({ delivered: scene.delivered }), progressMs).unref();

function tell(reply: Reply): void {
  process.send?.(reply);
}
