import type { ServiceMetrics } from './service-metrics.ts';

/** For so long a node that has stopped is reported: longer than rules look back. */
const reportedMs = 10 * 60_000;
/** Anybody who may write to Redis may name nodes. */
const reportedMax = 100;

/** Which node this process is, and which others have said that they stop. */
export type Nodes = {
  /** This process is that node. */
  is(id: string): void;
  /** A node has said that it stops, on purpose. */
  stopped(id: string): void;
};

export function createNodes({
  nodeInfo,
  nodeStopped,
}: Pick<ServiceMetrics, 'nodeInfo' | 'nodeStopped'>): Nodes {
  const reported = new Map<string, NodeJS.Timeout>();
  function forget(id: string): void {
    clearTimeout(reported.get(id));
    reported.delete(id);
    nodeStopped.remove({ id });
  }
  return {
    is: (id) => nodeInfo.set({ id }, 1),
    stopped(id) {
      if (reported.has(id)) return;
      for (const oldest of reported.keys()) {
        if (reported.size < reportedMax) break;
        forget(oldest);
      }
      reported.set(id, setTimeout(forget, reportedMs, id).unref());
      nodeStopped.set({ id }, 1);
    },
  };
}
