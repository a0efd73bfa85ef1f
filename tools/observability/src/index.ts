export { panelQueries } from './dashboards/index.ts';
export { metricNames, metricsPage } from './metrics-page.ts';
export { type Alert, Prometheus, prometheusProgram, scaledRules } from './prometheus.ts';
