import type { MetricDescription } from './metrics.ts';

/** More values than these are not listed one by one. */
const valuesListedMax = 10;

/** The text of `--metrics`: every metric of a process, as a table in Markdown. */
export function renderMetricsList(metrics: readonly MetricDescription[]): string {
  const rows = metrics.map(({ name, type, labels, help }) => [`\`${name}\``, type, labelText(labels), help]);
  return [['metric', 'type', 'labels', 'meaning'], ['---', '---', '---', '---'], ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`)
    .join('');
}

function labelText(labels: MetricDescription['labels']): string {
  return Object.entries(labels)
    .map(([label, values]) => {
      if (values.length === 0) return `\`${label}\``;
      return `\`${label}\`: ${values.length > valuesListedMax ? `${values.length} values` : values.join(', ')}`;
    })
    .join('; ');
}
