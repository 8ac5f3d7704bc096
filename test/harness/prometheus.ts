/** What Prometheus reads of a gateway, and how it reads expressions. */
import { readFile } from 'node:fs/promises';
import { parser } from '@prometheus-io/lezer-promql';
import { expect } from 'vitest';
import { parse as parseYaml } from 'yaml';

export interface Scrape {
  /** As it came. */
  readonly text: string;
  /** Names without the endings of histograms. */
  readonly types: ReadonlyMap<string, string>;
  /** Names as Prometheus stores them, and the labels that each was seen with. */
  readonly series: ReadonlyMap<string, ReadonlySet<string>>;
  /** The value of one series, written as Prometheus does; 0 where there is none. */
  value(series: string): number;
}

const ENDINGS: Record<string, readonly string[]> = { histogram: ['_bucket', '_sum', '_count'] };

/** Asks for the metrics, as Prometheus does. */
export async function scrape({ url }: { readonly url: string }): Promise<Scrape> {
  const response = await fetch(`${url}/metrics`);
  expect([response.status, response.headers.get('content-type')]).toEqual([
    200,
    expect.stringContaining('text/plain'),
  ]);
  const text = await response.text();
  const types = new Map(
    [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name as string, type as string]),
  );
  const series = new Map<string, Set<string>>();
  for (const [name, type] of types)
    for (const ending of ENDINGS[type] ?? ['']) series.set(name + ending, new Set());
  const values = new Map<string, number>();
  for (const [, name, labels = '', value] of text.matchAll(/^([a-z_]\w*)(?:\{(.*)\})? (\S+)$/gm)) {
    values.set(labels ? `${name}{${labels}}` : (name as string), Number(value));
    for (const [, label] of labels.matchAll(/(\w+)="/g)) series.get(name as string)?.add(label as string);
  }
  return { text, types, series, value: (named) => values.get(named) ?? 0 };
}

/** A metric that an expression uses, and the labels by which it chooses or groups. */
export interface Use {
  readonly metric: string;
  readonly labels: readonly string[];
  readonly by: string;
}

/** What an expression uses, by Prometheus' own grammar; what is no expression fails. */
export function usesOf(expression: string): Use[] {
  // What Grafana puts in.
  const text = expression.replaceAll('$__rate_interval', '5m');
  const found: { metric: string; labels: string[] }[] = [];
  const grouping: string[] = [];
  parser.parse(text).iterate({
    enter({ type, node }) {
      const at = text.slice(node.from, node.to);
      expect(type.isError, `${expression} does not make sense at ${node.from}`).toBe(false);
      if (type.name === 'VectorSelector') found.push({ metric: '', labels: [] });
      if (type.name === 'Identifier') found.at(-1)!.metric = at;
      if (type.name !== 'LabelName') return;
      if (node.parent?.name === 'GroupingLabels') grouping.push(at);
      else found.at(-1)!.labels.push(at);
    },
  });
  return found.map(({ metric, labels }) => ({ metric, labels: [...labels, ...grouping], by: expression }));
}

/** Every expression of the dashboard and of the alert rules. */
export async function shippedExpressions(): Promise<{ dashboard: string[]; alerts: string[] }> {
  const dashboard = JSON.parse(await readFile('.grafana/dashboard.json', 'utf8'));
  const alerts = parseYaml(await readFile('.grafana/alerts.yaml', 'utf8'));
  return {
    dashboard: dashboard.panels.flatMap(({ targets = [] }: any) => targets.map(({ expr }: any) => expr)),
    alerts: alerts.groups.flatMap(({ rules }: any) => rules.map(({ expr }: any) => expr)),
  };
}
