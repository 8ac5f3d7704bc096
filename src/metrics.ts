import { Counter, Registry } from 'prom-client';

/** What is counted, of one process. */
export interface Metrics {
  /** In Prometheus' text format. */
  render(): Promise<string>;
  readonly contentType: string;
  /** Error codes of the provider that none of its pages names, by HTTP status and code. */
  readonly unmappedErrors: Counter<'status' | 'code'>;
  /** Webhooks received, by what became of them at the door. */
  readonly webhooks: Counter<'outcome'>;
  /** States of the provider that this release does not know. */
  readonly unrecognized: Counter;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  return {
    render: () => registry.metrics(),
    contentType: registry.contentType,
    unmappedErrors: new Counter({
      name: 'vkyc_provider_unmapped_errors_total',
      help: 'Error codes of the provider that none of its pages names.',
      labelNames: ['status', 'code'],
      registers,
    }),
    webhooks: new Counter({
      name: 'vkyc_webhooks_total',
      help: 'Webhooks received, by what became of them at the door.',
      labelNames: ['outcome'],
      registers,
    }),
    unrecognized: new Counter({
      name: 'vkyc_unrecognized_states_total',
      help: 'Transitions whose state this release does not know.',
      registers,
    }),
  };
}
