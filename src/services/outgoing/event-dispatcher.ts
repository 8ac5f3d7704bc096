import type { Logger } from 'pino';
import type { Database } from '../../db/connection/client.ts';
import { deleteOldAcceptedDeliveries } from '../../db/outgoing/deliveries.ts';
import { registerEndpoint } from '../../db/outgoing/endpoints.ts';
import type { MerchantEndpoint } from '../../domain/merchant-events.ts';
import type { Clock, Doorbell } from '../../domain/ports.ts';
import type { Sealer } from '../../encryption/sealing.ts';
import { withoutTrace } from '../../telemetry/trace.ts';
import type { DataAccessLog } from '../audit/data-access-log.ts';
import { EndpointWorker } from './endpoint-worker.ts';
import { type AttemptResult, EventSender, type EventSenderOptions } from './send-event.ts';

/** Interval at which the workers look for deliveries that are due, or that another replica created. */
const LOOK_INTERVAL_MS = 1_000;
/** Delay after a ring of the doorbell. In a burst, one look serves all rings of this time. */
const RING_DELAY_MS = 25;
/** Time for which accepted deliveries are kept, to be listed. */
const KEEP_MS = 30 * 24 * 3_600_000;
const CLEANUP_INTERVAL_MS = 3_600_000;
const CLEANUP_BATCH = 5_000;

interface DispatcherDependencies extends EventSenderOptions {
  readonly db: Database;
  readonly clock: Clock;
  readonly doorbell: Doorbell;
  readonly log: Logger;
  readonly sealer: Sealer;
  readonly readLog: DataAccessLog;
  readonly endpoints: readonly MerchantEndpoint[];
  readonly onAttempt: (endpoint: string, answer: AttemptResult) => void;
  readonly lookIntervalMs?: number;
}

/** Delivers merchant webhooks to all endpoints of the settings, each independently of the others. */
export class EventDispatcher {
  readonly #dependencies: DispatcherDependencies;
  readonly #workers: readonly EndpointWorker[];
  readonly #timers: NodeJS.Timeout[];
  readonly #removeListener: () => void;
  #wakeTimer: NodeJS.Timeout | null = null;

  private constructor(dependencies: DispatcherDependencies) {
    this.#dependencies = dependencies;
    this.#workers = dependencies.endpoints.map(
      (endpoint) => new EndpointWorker(endpoint, { ...dependencies, sender: new EventSender(dependencies) }),
    );
    const { doorbell, lookIntervalMs = LOOK_INTERVAL_MS } = dependencies;
    this.#removeListener = doorbell.listen({
      onRing: () => this.#wakeSoon(),
      onGap: () => this.#wakeSoon(),
    });
    this.#timers = [
      setInterval(() => this.#wake(), lookIntervalMs),
      setInterval(() => void this.#deleteOld(), CLEANUP_INTERVAL_MS),
    ];
    this.#wake();
  }

  /** Stores the endpoints that are new, and starts to deliver. */
  static async start(dependencies: DispatcherDependencies): Promise<EventDispatcher> {
    for (const { name } of dependencies.endpoints) await registerEndpoint(dependencies.db, name);
    return new EventDispatcher(dependencies);
  }

  /** Returns a text about endpoints that keep failing; null if there is none, as far as this process knows. */
  findFault(): string | null {
    const failing = this.#workers.filter(({ isFailing }) => isFailing).length;
    return failing === 0
      ? null
      : `${failing} of ${this.#workers.length} endpoints keep failing, and are paused`;
  }

  async stop(): Promise<void> {
    this.#removeListener();
    for (const timer of this.#timers) clearInterval(timer);
    if (this.#wakeTimer) clearTimeout(this.#wakeTimer);
    await Promise.all(this.#workers.map((worker) => worker.stop()));
  }

  #wakeSoon(): void {
    this.#wakeTimer ??= setTimeout(() => {
      this.#wakeTimer = null;
      this.#wake();
    }, RING_DELAY_MS);
  }

  #wake(): void {
    withoutTrace(() => {
      for (const worker of this.#workers) worker.wake();
    });
  }

  async #deleteOld(): Promise<void> {
    const { db, clock, log } = this.#dependencies;
    try {
      await deleteOldAcceptedDeliveries(db, new Date(clock.now().getTime() - KEEP_MS), CLEANUP_BATCH);
    } catch (error) {
      log.warn({ err: error }, 'could not delete old deliveries of merchant webhooks; retrying in an hour');
    }
  }
}
