import {
  type Dashboard,
  DashboardBuilder,
  DatasourceVariableBuilder,
  RowBuilder,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/timeseries';

export type Query = readonly [expression: string, legend: string];

type Panel = {
  readonly title: string;
  /** One sentence for the person who looks at it in the night. */
  readonly about: string;
  /** Of Grafana: `s`, `bytes`, `ops`, `percentunit`, `short`. */
  readonly unit: string;
  readonly queries: readonly Query[];
};

type Row = { readonly title: string; readonly panels: readonly Panel[] };

export type Board = {
  readonly uid: string;
  readonly title: string;
  readonly about: string;
  readonly rows: readonly Row[];
};

const columns = 3;
const width = 24 / columns;
const height = 8;

/** A board for Grafana 10.1 or newer; the person who looks chooses the data source. */
export function dashboardOf({ uid, title, about, rows }: Board): Dashboard {
  const builder = new DashboardBuilder(title)
    .uid(uid)
    .description(about)
    .tags(['hooligram', 'generated'])
    .refresh('10s')
    .time({ from: 'now-1h', to: 'now' })
    .timezone('browser')
    .withVariable(new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'));
  for (const row of rows) {
    builder.withRow(new RowBuilder(row.title));
    for (const panel of row.panels) builder.withPanel(panelOf(panel));
  }
  return builder.build();
}

function panelOf({ title, about, unit, queries }: Panel): PanelBuilder {
  const panel = new PanelBuilder()
    .title(title)
    .description(about)
    .unit(unit)
    .min(0)
    .span(width)
    .height(height)
    .datasource({ type: 'prometheus', uid: '$datasource' });
  for (const [expression, legend] of queries) {
    panel.withTarget(new DataqueryBuilder().expr(expression).legendFormat(legend));
  }
  return panel;
}
