export { metricNames, metricsPage } from './metrics-page.ts';
