import type { Logger } from 'pino';
import type { Database } from '../../db/connection/client.ts';
import {
  claimDeliveries,
  type DeliveryAttemptOutcome,
  type DeliveryClaimRequest,
  type DeliveryWithEventFacts,
  insertDeliveriesForNextTransitions,
  parkExpiredDeliveries,
  saveAttemptOutcomes,
} from '../../db/outgoing/deliveries.ts';
import {
  addEndpointFailures,
  findEndpointWithFeedHead,
  type MerchantEndpointRow,
  pauseEndpoint,
  resumeEndpoint,
  tryClaimEndpointProbe,
} from '../../db/outgoing/endpoints.ts';
import type { MerchantEndpoint } from '../../domain/merchant-events.ts';
import type { Clock } from '../../domain/ports.ts';
import type { Sealer } from '../../encryption/sealing.ts';
import type { DataAccessLog } from '../audit/data-access-log.ts';
import { buildMerchantEvent } from './event-body.ts';
import { openNotification, recordNotificationRead } from './open-notification.ts';
import { FAILURES_UNTIL_PAUSE, GIVE_UP_AFTER_MS, getPauseDurationMs, getRetryDelayMs } from './retry-plan.ts';
import { type AttemptResult, type EventSender, STOPPED_OUTCOME } from './send-event.ts';

/** Deliveries to one endpoint that a process sends at once, each of another session. */
const MAX_IN_FLIGHT = 32;
/** Transitions of the feed for which deliveries are created in one transaction. */
const CREATION_BATCH = 500;
/**
 * Time for which a replica claims a delivery, longer than the attempt takes. If the replica is killed, another sends the
 * delivery after it.
 */
const CLAIM_MS = 60_000;
/** Time that deliveries under way get to finish at a shutdown. */
const FINISH_MS = 2_000;

export interface EndpointWorkerDependencies {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Logger;
  readonly sealer: Sealer;
  /** Records that an endpoint is sent personal data. */
  readonly readLog: DataAccessLog;
  readonly sender: EventSender;
  /** Called after each attempt. */
  readonly onAttempt: (endpoint: string, answer: AttemptResult) => void;
}

interface Attempt {
  readonly delivery: DeliveryWithEventFacts;
  readonly answer: AttemptResult;
}

/**
 * Delivers the events of one endpoint: creates deliveries from the feed, claims those that are due, sends them, and
 * stores the outcomes. Each replica has such a worker; the database decides who sends what.
 */
export class EndpointWorker {
  readonly #endpoint: MerchantEndpoint;
  readonly #dependencies: EndpointWorkerDependencies;
  readonly #inFlight = new Set<Promise<void>>();
  /** Attempts whose outcome is not stored yet. */
  #attempts: Attempt[] = [];
  #running: Promise<void> | null = null;
  #again = false;
  #stopped = false;
  #state: MerchantEndpointRow | null = null;

  constructor(endpoint: MerchantEndpoint, dependencies: EndpointWorkerDependencies) {
    this.#endpoint = endpoint;
    this.#dependencies = dependencies;
  }

  /** Whether the endpoint is paused because it keeps failing, as far as this process knows. */
  get isFailing(): boolean {
    return (this.#state?.failures ?? 0) >= FAILURES_UNTIL_PAUSE;
  }

  /** Looks for work. If a round is under way, another one follows it. */
  wake(): void {
    this.#again = true;
    if (this.#running || this.#stopped) return;
    this.#running = this.#runRounds().finally(() => {
      this.#running = null;
      // An attempt may have ended between the last round and this callback.
      if (this.#again) this.wake();
    });
  }

  /**
   * Stops. Deliveries under way get a moment to finish; those that do not are queued again, and sent with the same id.
   */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
    const { sender, log } = this.#dependencies;
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, FINISH_MS);
    });
    await Promise.race([Promise.all(this.#inFlight), patience]);
    clearTimeout(timer);
    sender.stop();
    await Promise.all(this.#inFlight);
    await this.#storeOutcomes().catch((error) =>
      log.warn(
        { err: error, endpoint: this.#endpoint.name },
        'could not store outcomes of merchant webhooks',
      ),
    );
  }

  async #runRounds(): Promise<void> {
    const { log } = this.#dependencies;
    try {
      while (this.#again && !this.#stopped) {
        this.#again = false;
        await this.#runRound();
      }
    } catch (error) {
      // The next periodic check retries. An immediate retry would be a busy loop while the database cannot be reached.
      this.#again = false;
      log.warn(
        { err: error, endpoint: this.#endpoint.name },
        'could not work on merchant webhooks; retrying',
      );
    }
  }

  async #runRound(): Promise<void> {
    const { db, clock } = this.#dependencies;
    const { name } = this.#endpoint;
    await this.#storeOutcomes();
    const state = await findEndpointWithFeedHead(db, name);
    this.#state = state;
    if (!state) return;
    const now = clock.now();
    if (state.position < state.head) {
      const created = await insertDeliveriesForNextTransitions(db, this.#endpoint, now, CREATION_BATCH);
      if (created === CREATION_BATCH) this.#again = true;
    }
    if (state.pausedUntil && state.pausedUntil > now) return;
    const until = new Date(now.getTime() + CLAIM_MS);
    const free = MAX_IN_FLIGHT - this.#inFlight.size;
    if (this.isFailing) {
      if (free > 0 && (await tryClaimEndpointProbe(db, name, now, until)))
        await this.#claimAndSend({ endpoint: name, now, until, limit: 1, early: true });
    } else if (free > 0) await this.#claimAndSend({ endpoint: name, now, until, limit: free, early: false });
  }

  async #claimAndSend(claim: DeliveryClaimRequest): Promise<void> {
    const claimed = await claimDeliveries(this.#dependencies.db, claim);
    for (const delivery of claimed) {
      const sent = this.#send(delivery).finally(() => this.#inFlight.delete(sent));
      this.#inFlight.add(sent);
    }
  }

  async #send(delivery: DeliveryWithEventFacts): Promise<void> {
    const { onAttempt } = this.#dependencies;
    const answer = await this.#attempt(delivery);
    if (answer.outcome !== STOPPED_OUTCOME) onAttempt(this.#endpoint.name, answer);
    this.#attempts.push({ delivery, answer });
    this.wake();
  }

  /** Sends a delivery. Never rejects: an internal error counts as a failed attempt, and is retried. */
  async #attempt(delivery: DeliveryWithEventFacts): Promise<AttemptResult> {
    const { sender, clock, log, sealer, readLog } = this.#dependencies;
    try {
      const opened = openNotification(sealer, delivery, this.#endpoint);
      if (opened?.customer) await recordNotificationRead(readLog, delivery, this.#endpoint);
      return await sender.send(this.#endpoint, buildMerchantEvent(delivery, opened), clock.now());
    } catch (error) {
      log.error(
        { err: error, delivery: String(delivery.id) },
        'could not build a merchant webhook; retrying',
      );
      return { accepted: false, outcome: 'INTERNAL_ERROR', retryAfterMs: 0 };
    }
  }

  /** Stores the outcomes of all attempts that ended since the last call, in one statement. */
  async #storeOutcomes(): Promise<void> {
    const { db, clock } = this.#dependencies;
    // A copy, because other attempts may end while these are stored.
    const ended = [...this.#attempts];
    if (ended.length === 0) return;
    const now = clock.now();
    const settled = ended.map((attempt) => settle(attempt, now));
    await saveAttemptOutcomes(db, settled);
    this.#attempts = this.#attempts.slice(ended.length);
    this.#reportParked(settled.filter(({ state }) => state === 'PARKED').length);
    await this.#updateHealth(ended, now);
  }

  /** Pauses the endpoint if it keeps failing, and resumes it once it accepts an event. */
  async #updateHealth(ended: readonly Attempt[], now: Date): Promise<void> {
    const { db, log } = this.#dependencies;
    const endpoint = this.#endpoint.name;
    if (ended.some(({ answer }) => answer.accepted)) {
      const isOver =
        this.#state?.failingSince && (await resumeEndpoint(db, endpoint, FAILURES_UNTIL_PAUSE, now));
      if (isOver) log.info({ endpoint }, 'merchant endpoint answers again; its deliveries go on');
    }
    const asked = Math.max(0, ...ended.map(({ answer }) => answer.retryAfterMs));
    if (asked > 0) await pauseEndpoint(db, endpoint, new Date(now.getTime() + asked));
    if (ended.some(({ answer }) => answer.accepted)) return;
    const failed = ended.filter(({ answer }) => answer.outcome !== STOPPED_OUTCOME);
    const last = failed.at(-1);
    if (!last) return;
    const failures = await addEndpointFailures(db, endpoint, failed.length, FAILURES_UNTIL_PAUSE, now);
    const pauseMs = getPauseDurationMs(failures);
    if (pauseMs === 0) return;
    await pauseEndpoint(db, endpoint, new Date(now.getTime() + pauseMs));
    log.warn(
      { endpoint, failures, outcome: last.answer.outcome, seconds: Math.round(pauseMs / 1_000) },
      'merchant endpoint keeps failing; its deliveries are paused',
    );
    await this.#parkOverdue(now);
  }

  /** Parks what a failing endpoint has not accepted for too long. Without it, a backlog would grow for ever. */
  async #parkOverdue(now: Date): Promise<void> {
    const { db } = this.#dependencies;
    const endpoint = this.#endpoint.name;
    const before = new Date(now.getTime() - GIVE_UP_AFTER_MS);
    if (!this.#state?.failingSince || this.#state.failingSince > before) return;
    this.#reportParked(await parkExpiredDeliveries(db, endpoint, now, before));
  }

  #reportParked(deliveries: number): void {
    if (deliveries > 0)
      this.#dependencies.log.error(
        { endpoint: this.#endpoint.name, deliveries },
        'merchant endpoint did not accept events within three days; they are parked',
      );
  }
}

/** Decides what becomes of a delivery after an attempt. */
function settle({ delivery, answer }: Attempt, now: Date): DeliveryAttemptOutcome {
  const { id, attempts, triedSince } = delivery;
  const { accepted, outcome, retryAfterMs } = answer;
  if (accepted) return { ...{ id, attempts, outcome }, state: 'DONE', dueAt: now, settledAt: now };
  // An attempt that a shutdown ended says nothing about the endpoint.
  if (outcome === STOPPED_OUTCOME)
    return { ...{ id, attempts, outcome }, state: 'PENDING', dueAt: now, settledAt: null };
  if (triedSince && now.getTime() - triedSince.getTime() >= GIVE_UP_AFTER_MS)
    return { ...{ id, attempts, outcome }, state: 'PARKED', dueAt: now, settledAt: now };
  const delayMs = Math.max(getRetryDelayMs(attempts), retryAfterMs);
  return {
    ...{ id, attempts, outcome },
    state: 'PENDING',
    dueAt: new Date(now.getTime() + delayMs),
    settledAt: null,
  };
}
