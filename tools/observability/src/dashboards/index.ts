import { type Board, dashboardOf } from './board.ts';
import { insideBoard } from './inside-board.ts';
import { serviceBoard } from './service-board.ts';

const boards: Readonly<Record<string, Board>> = {
  'service.json': serviceBoard,
  'inside.json': insideBoard,
};

/** All files of infra/grafana that are made here, by name. */
export function dashboardFiles(): Map<string, string> {
  return new Map(
    Object.entries(boards).map(([name, board]) => [name, `${JSON.stringify(dashboardOf(board), null, 2)}\n`]),
  );
}

/** What the panels ask Prometheus, with a time in the place of Grafana's. */
export function panelQueries(): string[] {
  return Object.values(boards).flatMap(({ rows }) =>
    rows.flatMap(({ panels }) =>
      panels.flatMap(({ queries }) =>
        queries.map(([expression]) => expression.replaceAll('$__rate_interval', '1m')),
      ),
    ),
  );
}
