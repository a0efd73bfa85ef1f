import {
  LegendDisplayMode,
  LegendPlacement,
  SortOrder,
  TooltipDisplayMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  AnnotationQueryBuilder,
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
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

/** Marked on every panel. */
export const firingAlerts = 'ALERTS{alertstate="firing"}';

const dataSource = { type: 'prometheus', uid: '$datasource' };
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
    // What happens in one panel is looked for at the same moment in the others.
    .tooltip(DashboardCursorSync.Crosshair)
    .annotation(
      new AnnotationQueryBuilder()
        .name('Alerts')
        .datasource(dataSource)
        .enable(true)
        .iconColor('red')
        .expr(firingAlerts)
        .titleFormat('{{alertname}}')
        .textFormat('{{instance}}'),
    )
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
    .datasource(dataSource)
    .legend(
      new VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .calcs(['lastNotNull']),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending));
  for (const [index, [expression, legend]] of queries.entries()) {
    const letter = String.fromCharCode('A'.charCodeAt(0) + index);
    panel.withTarget(new DataqueryBuilder().refId(letter).expr(expression).legendFormat(legend));
  }
  return panel;
}
