import type { Logger } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import type { Database } from '../db/client.ts';
import { hasWaiting, parkWaiting, releaseWaiting } from '../db/inbox.ts';
import { findIntent, type IntentRow, insertTakenIntent } from '../db/intents.ts';
import { findUnplanned, planPolls } from '../db/jobs.ts';
import type { Sealer } from '../db/sealing.ts';
import { findSessionsByVerificationId, type SessionRow } from '../db/sessions.ts';
import { findUsers } from '../db/users.ts';
import { ProviderFailure } from '../domain/errors.ts';
import type { Clock, Provider, ProviderSession } from '../domain/ports.ts';
import { storeUser } from './ensure-user.ts';
import type { PollPlanner } from './plan-polls.ts';
import type { Recorder } from './record-transition.ts';

/** When to ask again where the provider could not be asked. */
const RETRY_MS = 30_000;
/** A start that got no answer may still arrive at the provider: it is looked for again, ever more rarely. */
const LONGEST_LOOK_MS = 3_600_000;

interface Parts {
  readonly db: Database;
  readonly clock: Clock;
  /** Whose calls are spent on polls. */
  readonly provider: Provider;
  readonly recorder: Recorder;
  readonly planner: PollPlanner;
  readonly sealer: Sealer;
  readonly log: Logger;
}

/**
 * Asks the provider about one verification and records what is new: a session whose poll is due, a start that got
 * no answer, or one that webhooks speak of and nobody started here. Only ever asks: what the provider does not
 * have was not sent, and the caller's retry sends it.
 */
export class Reconciler {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** The job of one verification; plans the next one itself. */
  async reconcile(verificationId: string): Promise<void> {
    const { db, clock, planner } = this.#parts;
    const [session] = await findSessionsByVerificationId(db, [verificationId]);
    const now = clock.now();
    try {
      if (!session) return await this.#lookFor(verificationId);
      await releaseWaiting(db, verificationId);
      if (session.nextPollAt === null || session.nextPollAt > now) planner.plan(session);
      else await this.#poll(session);
    } catch (error) {
      // At the stop of this replica a job that waits for its turn is left to another.
      if ((error as Error).name === 'AbortError') return this.#again(verificationId, 0);
      if (!(error instanceof ProviderFailure)) throw error;
      const { retryAfterSeconds } = error.details;
      this.#again(verificationId, retryAfterSeconds === undefined ? RETRY_MS : retryAfterSeconds * 1000);
    }
  }

  #again(verificationId: string, inMs: number): void {
    const { planner, clock } = this.#parts;
    planner.plan({ verificationId, nextPollAt: new Date(clock.now().getTime() + inMs) });
  }

  /** Gives a job to whatever should have one: plans get lost when a replica dies. */
  async sweep(): Promise<void> {
    const { db } = this.#parts;
    const found = await findUnplanned(db);
    await planPolls(
      db,
      found.map((verificationId) => ({ verificationId, inMs: 0 })),
    );
  }

  async #poll(session: SessionRow): Promise<void> {
    const { provider, recorder, log } = this.#parts;
    const said = await provider.findVerification(session.verificationId);
    if (said) {
      await recorder.inTransaction((recording) =>
        recording.report({ ...ANSWER, said, webhooksWhenAsked: session.providerWebhooks }),
      );
      return;
    }
    log.warn({ sessionId: session.id }, 'the provider does not know a session of ours');
    this.#again(session.verificationId, LONGEST_LOOK_MS);
  }

  /** A start that was sent and whose answer was not recorded, or a session that only webhooks speak of. */
  async #lookFor(verificationId: string): Promise<void> {
    const { db, clock, provider, recorder } = this.#parts;
    const intent = await findIntent(db, verificationId);
    const started = intent?.state === 'OPEN' ? intent : null;
    const ageMs = started ? clock.now().getTime() - started.createdAt.getTime() : LONGEST_LOOK_MS;
    const asked = started?.sends !== 0 || ageMs >= LONGEST_LOOK_MS;
    if (!started && !(await hasWaiting(db, verificationId))) return;

    const said = asked ? await provider.findVerification(verificationId) : null;
    if (said && started && (await this.#isFor(started, said))) {
      await recorder.inTransaction((recording) =>
        recording.report({ ...ANSWER, said, webhooksWhenAsked: 0 }),
      );
    } else if (ageMs < LONGEST_LOOK_MS) this.#again(verificationId, Math.max(RETRY_MS, ageMs / 2));
    else if (said && (await hasWaiting(db, verificationId))) await this.#adopt(said);
    else await parkWaiting(db, verificationId, 'The provider does not know this verification id.');
  }

  async #isFor(intent: IntentRow, said: ProviderSession): Promise<boolean> {
    if (intent.sends === 0 || !intent.userId) return false;
    const [user] = await findUsers(this.#parts.db, [intent.userId]);
    return user !== undefined && user.userId === said.userId;
  }

  /** A verification of the same account that was started elsewhere. Its id is taken; its webhooks are ours to keep. */
  async #adopt(said: ProviderSession): Promise<void> {
    const { db, clock, provider, recorder, sealer } = this.#parts;
    const { verificationId, userId } = said;
    if (userId === null) {
      await parkWaiting(db, verificationId, 'The provider does not say whose verification this is.');
      return;
    }
    const known = await provider.findUser(userId);
    const user = await storeUser(
      { db, clock, provider, sealer },
      known ?? { userId, phone: null, name: null, email: null, address: null },
    );
    await recorder.inTransaction(async (recording) => {
      const sessionId = uuidv7();
      await insertTakenIntent(recording.tx, { verificationId, sessionId, createdAt: clock.now() });
      await recording.adopt(
        { ...ANSWER, said, webhooksWhenAsked: 0 },
        { sessionId, userId: user.id, userTemplate: null, agentTemplate: null, replacesId: null },
      );
    });
  }
}

const ANSWER = { source: 'POLL', actor: null, eventTime: null } as const;
