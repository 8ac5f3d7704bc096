/** Scrapes a gateway's metrics as Prometheus does, and parses PromQL expressions. */
import { readFile } from 'node:fs/promises';
import { parser } from '@prometheus-io/lezer-promql';
import { expect } from 'vitest';
import { parse as parseYaml } from 'yaml';

export interface Scrape {
  /** The response body. */
  readonly text: string;
  /** Type of each metric by its name, without the suffixes of histogram series. */
  readonly types: ReadonlyMap<string, string>;
  /** Series names as Prometheus stores them, with the labels seen on each. */
  readonly series: ReadonlyMap<string, ReadonlySet<string>>;
  /** Returns the value of one series, written as in Prometheus; 0 if the series does not exist. */
  value(series: string): number;
}

const ENDINGS: Record<string, readonly string[]> = { histogram: ['_bucket', '_sum', '_count'] };

/** Fetches and parses the metrics of a gateway. */
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

/** A metric used by an expression, and the labels that it filters or groups by. */
export interface Use {
  readonly metric: string;
  readonly labels: readonly string[];
  readonly by: string;
}

/** Parses an expression with Prometheus' own grammar and returns the metrics it uses; throws if it is invalid. */
export function usesOf(expression: string): Use[] {
  // Replaces Grafana's variable, which is not valid in PromQL.
  const text = expression.replaceAll('$__rate_interval', '5m');
  const found: { metric: string; labels: string[] }[] = [];
  const grouping: string[] = [];
  parser.parse(text).iterate({
    enter({ type, node }) {
      const at = text.slice(node.from, node.to);
      expect(type.isError, `${expression} is invalid at ${node.from}`).toBe(false);
      if (type.name === 'VectorSelector') found.push({ metric: '', labels: [] });
      if (type.name === 'Identifier') found.at(-1)!.metric = at;
      if (type.name !== 'LabelName') return;
      if (node.parent?.name === 'GroupingLabels') grouping.push(at);
      else found.at(-1)!.labels.push(at);
    },
  });
  return found.map(({ metric, labels }) => ({ metric, labels: [...labels, ...grouping], by: expression }));
}

/** Returns all expressions of the dashboard and the alert rules. */
export async function shippedExpressions(): Promise<{ dashboard: string[]; alerts: string[] }> {
  const dashboard = JSON.parse(await readFile('.grafana/dashboard.json', 'utf8'));
  const alerts = parseYaml(await readFile('.grafana/alerts.yaml', 'utf8'));
  return {
    dashboard: dashboard.panels.flatMap(({ targets = [] }: any) => targets.map(({ expr }: any) => expr)),
    alerts: alerts.groups.flatMap(({ rules }: any) => rules.map(({ expr }: any) => expr)),
  };
}
