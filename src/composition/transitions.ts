import { PollFairShare } from '../services/polling/fair-share.ts';
import { Reconciler } from '../services/polling/reconciler.ts';
import { DeadlineCorrector } from '../services/sessions/deadline-corrector.ts';
import { UnitOfWork } from '../services/transitions/unit-of-work.ts';
import { WebhookQueueWorker } from '../services/webhooks/webhook-queue-worker.ts';
import { WebhookRecorder } from '../services/webhooks/webhook-recorder.ts';
import type { Core } from './core.ts';
import type { OpenedDatabase } from './database.ts';
import type { OpenedFeed } from './feed.ts';
import type { OpenedProvider } from './provider.ts';

/** Services that record provider updates and decisions of users. */
export interface OpenedTransitions {
  readonly unitOfWork: UnitOfWork;
  readonly recorder: WebhookRecorder;
}

/** Starts the webhook queue worker, and the reconciler that polls the provider. */
export function openTransitions(
  { config, overrides, clock, log, metrics, lifecycle }: Core,
  { db, pools, sealer, auditKeys }: OpenedDatabase,
  { providers, limits, onMismatch, abortCalls }: OpenedProvider,
  { doorbell }: OpenedFeed,
): OpenedTransitions {
  const fairShare = new PollFairShare({
    ...{ db, pollsPerMinute: limits.polls, log },
    meetingGraceMinutes: config.meetingGraceMinutes,
    confirmDays: config.decisionConfirmDays,
  });
  lifecycle.onStop(() => fairShare.stop());
  const unitOfWork = new UnitOfWork({
    ...{ db, clock, doorbell, sealer, auditKeys },
    ...{ fairShare, deadlines: config.deadlines, metrics, onMismatch, log },
  });
  const corrector = new DeadlineCorrector({ db, deadlines: config.deadlines, log });
  lifecycle.onStop(() => corrector.stop());
  const { lookIntervalMs } = overrides;
  const timing = lookIntervalMs === undefined ? {} : { lookIntervalMs };
  const queue = new WebhookQueueWorker({
    ...timing,
    db,
    providers,
    clock,
    sealer,
    unitOfWork,
    onMismatch,
    log,
  });
  lifecycle.onStop(() => queue.stop());
  const recorder = new WebhookRecorder({ db, clock, sealer, unitOfWork, queue, log });

  if (!overrides.disablePolling) {
    const reconciler = new Reconciler({
      ...{ db, pool: pools.writes, clock, providers: providers.clients('POLL') },
      ...{ unitOfWork, fairShare, sealer, log, ...timing },
    });
    lifecycle.onStop(() => {
      abortCalls();
      return reconciler.stop();
    });
  }
  return { unitOfWork, recorder };
}
