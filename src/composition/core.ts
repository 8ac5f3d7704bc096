import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import {
  type Clock,
  type Doorbell,
  type Provider,
  type ProviderClient,
  systemClock,
} from '../domain/ports.ts';
import type { Executor } from '../graphql/jit-executor.ts';
import { createLogger, withRedactedErrors } from '../logging.ts';
import { createMetrics, type Metrics } from '../telemetry/metrics.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import { Lifecycle } from './lifecycle.ts';

/** Parts of the gateway that tests replace or wrap. */
export interface TestOverrides {
  readonly clock?: Clock;
  readonly log?: Logger;
  /** Wraps the doorbell, for example to lose notifications. */
  readonly doorbell?: (doorbell: Doorbell) => Doorbell;
  /** Wraps the provider's client, for example to make calls fail. */
  readonly provider?: (provider: ProviderClient) => ProviderClient;
  /**
   * Adds providers to the configured provider. New sessions are started at the first provider of the returned
   * list.
   */
  readonly providers?: (configured: Provider) => readonly [Provider, ...Provider[]];
  /** Turns the reconciler off: the provider is called only by mutations, never for polls. */
  readonly disablePolling?: boolean;
  /**
   * Skips the migrations and the check for a connection pooler: the test's database is a copy of a migrated
   * database, and no pooler is in front of it.
   */
  readonly isMigrated?: boolean;
  /** Interval at which the reconciler and the webhook queue worker look for due work. */
  readonly lookIntervalMs?: number;
  /** Time in which a receiver of merchant webhooks must answer. */
  readonly merchantAnswerTimeoutMs?: number;
  /** Replaces the executor that compiles GraphQL operations (graphql-jit). */
  readonly executor?: Executor;
  /** Makes the sandbox's verifications advance only by calls of `/_sandbox`, not with time. */
  readonly manualSandbox?: boolean;
}

/** Settings and services that every part of the gateway uses. */
export interface Core {
  readonly config: Config;
  readonly overrides: TestOverrides;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Export of traces; null if traces are not exported. */
  readonly tracing: Tracing | null;
  readonly lifecycle: Lifecycle;
}

export async function createCore(config: Config, overrides: TestOverrides): Promise<Core> {
  // OpenTelemetry takes long to load, so it is imported only if traces are exported.
  const tracing = config.tracing ? (await import('../telemetry/tracing.ts')).startTracing() : null;
  const log = withRedactedErrors(
    overrides.log ??
      createLogger({ level: config.logLevel, format: config.logFormat, ids: tracing?.idsOfLog }),
  );
  tracing?.complainTo(log);
  for (const warning of config.warnings) log.warn(warning);
  const lifecycle = new Lifecycle(log);
  lifecycle.onStop(() => tracing?.stop());
  const { clock = systemClock } = overrides;
  return { config, overrides, clock, log, metrics: createMetrics(), tracing, lifecycle };
}
