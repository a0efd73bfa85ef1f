import type { Query } from './board.ts';

/** Grafana puts a time in, that fits what is looked at. */
const interval = '$__rate_interval';

export function rate(name: string, labels = ''): string {
  return `rate(${name}${labels}[${interval}])`;
}

export function sum(expression: string, by?: string): string {
  return by === undefined ? `sum(${expression})` : `sum by (${by}) (${expression})`;
}

/** Median and slow ends of a histogram, over all processes. */
export function quantiles(name: string, labels: string): Query[] {
  return [0.5, 0.9, 0.99].map((quantile) => [
    `histogram_quantile(${quantile}, ${sum(rate(`${name}_bucket`, labels), 'le')})`,
    `p${quantile * 100}`,
  ]);
}
