import type { OverdueSession } from '../db/sessions/deadlines.ts';
import { getViewerCacheKey, type Viewer } from '../domain/access.ts';
import type { Clock } from '../domain/ports.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import {
  CursorError,
  type CursorExpiryReason,
  createExpiredCursorError,
  getPositionAfter,
  type LogPosition,
} from './cursor.ts';
import type { FrameJson } from './frame-json.ts';
import type { LogTail, LogTailEntry } from './log-tail.ts';
import { type FrameRequest, getFrameKey } from './shared-execution.ts';
import type { ExecutedEntry, GroupMember, SubscriberGroup } from './subscriber-group.ts';
import type {
  EndWithCursorError,
  LogSubscription,
  RestartCause,
  ResyncPoint,
  SubscriberProgress,
} from './subscription.ts';

/** Maximum number of passed deadlines of which a subscriber is told later. More would only repeat what a list shows. */
const MAX_HELD_DEADLINES = 1_000;

/** Maximum number of past entries that are executed in one batch. */
const REPLAYED_AT_ONCE = 50;

/**
 * State machine of one subscriber. CATCHING_UP: reads the log at its own pace. LIVE: its group sends it every
 * entry. LAGGING: its socket is full; once the socket has drained, the subscriber is sent the missed entries
 * from the group's buffer or, if the buffer lacks some, resyncs. A subscriber also resyncs if the log lost
 * entries that the subscriber was sent.
 */
export class Subscriber implements GroupMember {
  readonly viewer: Viewer;
  readonly viewerKey: string;
  at: LogPosition;
  number: number;
  fingerprint: number | null;
  fullSince = 0;
  #state: 'CATCHING_UP' | 'LIVE' | 'LAGGING' | 'ENDED' = 'CATCHING_UP';
  #quiet = false;
  /** Sessions whose deadline passed while the subscriber was not live, by id. */
  readonly #held = new Map<string, OverdueSession>();
  /**
   * Place in the log of the newest frame that was sent. Before the first frame: the client's own `after`
   * cursor (a string), or null.
   */
  #sent: LogPosition | string | null;
  readonly #begunAt = performance.now();
  readonly #subscription: LogSubscription;
  readonly #tail: LogTail;
  readonly #group: SubscriberGroup;
  readonly #clock: Clock;
  readonly #metrics: Metrics | undefined;
  readonly #onFault: (error: unknown) => void;
  readonly #expire: EndWithCursorError;

  constructor(
    subscriber: LogSubscription,
    from: SubscriberProgress,
    within: { tail: LogTail; group: SubscriberGroup; clock: Clock; metrics?: Metrics | undefined },
    on: { fault: (error: unknown) => void; expiry: EndWithCursorError },
  ) {
    this.viewer = subscriber.viewer;
    this.viewerKey = getViewerCacheKey(subscriber.viewer);
    this.at = from.at;
    this.number = from.number;
    this.fingerprint = from.fingerprint;
    this.#subscription = subscriber;
    this.#sent = subscriber.after;
    this.#tail = within.tail;
    this.#group = within.group;
    this.#clock = within.clock;
    this.#metrics = within.metrics;
    this.#onFault = on.fault;
    this.#expire = on.expiry;
    if (subscriber.wantsDeadline) this.#group.deadlineMembers.add(this);
  }

  wants(entry: LogTailEntry): boolean {
    return this.#subscription.wants(entry);
  }

  /** Switches from LIVE to CATCHING_UP: leaves the group and reads the log on its own. */
  switchToCatchUp(): void {
    if (this.#state !== 'LIVE') return;
    this.#group.remove(this);
    this.#run(() => this.#catchUp());
  }

  /** Sends `first` (a snapshot or reset), if given, and then starts to catch up from the log. */
  start(first: ResyncPoint | null): void {
    this.#run(async () => {
      if (first) await this.#sendResyncPoint(first);
      // The log may have lost entries (failover) that the tail still has in memory. If the tail's last read
      // is older than this subscription, read again.
      if (this.#tail.verifiedAt < this.#begunAt) await this.#tail.readEnd();
      await this.#catchUp();
    });
  }

  /** Resyncs this subscriber, because the log has lost entries that it was sent. */
  resync(why: CursorExpiryReason): void {
    if (this.#state !== 'LIVE' && this.#state !== 'LAGGING') return;
    this.#run(() => this.#resync(why));
  }

  /** Ends the subscription: nothing is sent after this call. */
  end(): void {
    this.#state = 'ENDED';
    this.#group.remove(this);
    this.#group.deadlineMembers.delete(this);
  }

  deliver(executed: readonly ExecutedEntry[]): void {
    if (this.#state !== 'LIVE') return;
    const outcome = this.#sendAll(executed);
    if (outcome === 'FULL') this.#waitUntilDrained();
    // Either an entry was not executed for this viewer (the subscriber joined while the batch was executed),
    // or the viewer's budget is used up. Catching up delivers the entry.
    if (outcome === 'NOT_EXECUTED') this.switchToCatchUp();
  }

  wantsHeartbeat(): boolean {
    const wants = this.#quiet && this.#state === 'LIVE' && this.#subscription.heartbeats;
    this.#quiet = !wants;
    return wants;
  }

  sendHeartbeat(json: FrameJson): void {
    if (this.#state === 'LIVE' && this.#subscription.sink.writable) this.#transmit(json, this.at, false);
  }

  wantsDeadline(due: OverdueSession): boolean {
    return this.#state !== 'ENDED' && (this.#subscription.wantsDeadline?.(due) ?? false);
  }

  sendDeadline(json: FrameJson): boolean {
    if (this.#state !== 'LIVE') return false;
    if (!this.#subscription.sink.writable) {
      this.#waitUntilDrained();
      return false;
    }
    this.#transmit(json, this.at, false);
    this.#quiet = false;
    return true;
  }

  holdDeadline(due: OverdueSession): void {
    // The subscriber became live again while the frame was executed.
    if (this.#state === 'LIVE') void this.#group.passDeadlines([due], [this]);
    else if (this.#held.size < MAX_HELD_DEADLINES) this.#held.set(due.id, due);
  }

  /** Joins the group as a live subscriber, and is told of the deadlines that passed before. */
  #join(): void {
    this.#state = 'LIVE';
    this.#group.addLive(this);
    if (this.#held.size === 0) return;
    const held = [...this.#held.values()];
    this.#held.clear();
    void this.#group.passDeadlines(held, [this]);
  }

  /**
   * Sends a frame. All frames are sent by this method, because each frame contains the cursor of the frame
   * before it (`previousCursor`).
   */
  #transmit(json: FrameJson, at: LogPosition, replay: boolean): void {
    this.#subscription.sink.send(json.after(this.#previousCursor), replay);
    this.#sent = at;
  }

  readonly #previousCursor = (): string | null =>
    this.#sent === null || typeof this.#sent === 'string'
      ? this.#sent
      : this.#subscription.cursorOf(this.#sent);

  #sendAll(executed: readonly ExecutedEntry[]): 'SENT' | 'FULL' | 'NOT_EXECUTED' {
    const { sink } = this.#subscription;
    let outcome: 'SENT' | 'FULL' | 'NOT_EXECUTED' = 'SENT';
    sink.cork(() => {
      for (const one of executed) {
        if (one.entry.number <= this.number) continue;
        outcome = one.entry.number === this.number + 1 && this.#send(one) ? 'SENT' : 'NOT_EXECUTED';
        if (outcome === 'SENT' && !sink.writable) outcome = 'FULL';
        if (outcome !== 'SENT') return;
      }
    });
    return outcome;
  }

  /**
   * Sends one entry if the subscriber wants it. Returns false if the entry was not executed for this viewer,
   * or the viewer's budget is used up; the subscriber must then catch up by itself, at the pace of its
   * budget.
   */
  #send(passed: ExecutedEntry): boolean {
    const { entry } = passed;
    if (this.#subscription.wants(entry)) {
      const json = passed.jsonFor(this.viewerKey);
      if (json === undefined || !this.#subscription.budget.trySpend()) return false;
      this.#transmit(json, passed.position, false);
      this.#quiet = false;
    }
    this.#advance(entry.number, passed.position);
    return true;
  }

  #advance(number: number, at: LogPosition): void {
    this.number = number;
    this.at = at;
    this.fingerprint = at.fingerprint;
  }

  /** Reads the log up to its newest entry, then joins the group as a live subscriber. */
  async #catchUp(): Promise<void> {
    if (this.#hasEnded()) return;
    this.#state = 'CATCHING_UP';
    let greeted = !this.#subscription.heartbeats;
    for (;;) {
      while (!this.#tail.isAt(this)) {
        const entries = await this.#tail.after(this);
        if (this.#hasEnded()) return;
        if (entries === 'STOPPED') return this.#closeForRetry();
        if (typeof entries === 'string') return this.#resync(entries);
        // A gap in the entry numbers means that entries were archived. The client must be told, so resync.
        if (!this.#goesOnWith(entries)) return this.#resync('ARCHIVED');
        const atOnce = Math.min(REPLAYED_AT_ONCE, this.#subscription.budget.framesAtOnce);
        for (let from = 0; from < entries.length; from += atOnce)
          if (!(await this.#replay(entries.slice(from, from + atOnce)))) return;
      }
      if (this.#hasEnded()) return;
      // No `await` between checking that all entries were read and joining the group: an entry that is
      // published in between would be missed.
      if (greeted) break;
      greeted = true;
      const { at, number, fingerprint } = this;
      const frame = { kind: 'HEARTBEAT', at, serverTime: this.#clock.now() } as const;
      await this.#sendResyncPoint({ frame, at, number, fingerprint });
    }
    this.#join();
  }

  #goesOnWith(entries: readonly LogTailEntry[]): boolean {
    if (entries.length === 0) return true;
    const [first, last] = [entries[0], entries.at(-1)];
    return first?.number === this.number + 1 && last?.number === this.number + entries.length;
  }

  /**
   * Takes the cost of `frames` frames from the viewer's budget, waiting until the budget holds that much.
   * Returns false if the subscription ended while waiting.
   */
  async #spendBudget(frames: number): Promise<boolean> {
    if (frames > 0) await this.#subscription.budget.spend(frames, () => this.#hasEnded());
    return !this.#hasEnded();
  }

  /**
   * Sends past entries, waiting while the viewer's budget is used up or the socket is full. Returns false if
   * the subscription ended while waiting.
   */
  async #replay(entries: readonly LogTailEntry[]): Promise<boolean> {
    const wanted = entries.filter((entry) => this.#subscription.wants(entry));
    if (!(await this.#spendBudget(wanted.length))) return false;
    const requests = wanted.map(
      (transition): FrameRequest => ({
        key: getFrameKey(transition),
        frame: { kind: 'TRANSITION', transition },
      }),
    );
    const results = await this.#group.execution.execute(requests, this.viewer, this.viewerKey);
    const jsonOf = new Map(wanted.map((entry, index) => [entry, results[index]?.jsonFor(this.viewerKey)]));
    const { sink } = this.#subscription;
    for (let next = 0; next < entries.length; ) {
      if (!sink.writable) await sink.drained();
      if (this.#hasEnded()) return false;
      // Corks the socket, so that as many frames as it accepts go out in one write.
      sink.cork(() => {
        do {
          const entry = entries[next] as LogTailEntry;
          const json = jsonOf.get(entry);
          this.#advance(entry.number, getPositionAfter(entry));
          if (json !== undefined) this.#transmit(json, this.at, this.number < this.#tail.head);
          next += 1;
        } while (next < entries.length && sink.writable);
      });
    }
    return true;
  }

  /**
   * Sends a frame that is not an entry of the log (snapshot, reset or heartbeat), and sets the subscriber's
   * progress to the place in the log that the frame stands for.
   */
  async #sendResyncPoint({ frame, at, number, fingerprint }: ResyncPoint): Promise<void> {
    const { execution } = this.#group;
    const key = `${frame.kind} ${at.sessionId} ${at.sequence} ${at.fingerprint}`;
    const json =
      frame.kind === 'SNAPSHOT'
        ? await execution.executeUncached(frame, this.viewer)
        : (await execution.execute([{ key, frame }], this.viewer, this.viewerKey))[0]?.jsonFor(
            this.viewerKey,
          );
    const { sink } = this.#subscription;
    if (!sink.writable) await sink.drained();
    if (this.#hasEnded()) return;
    this.#advance(number, at);
    this.fingerprint = fingerprint;
    this.#transmit(json as FrameJson, at, false);
  }

  #waitUntilDrained(): void {
    this.#state = 'LAGGING';
    this.fullSince = performance.now();
    this.#group.markLagging(this);
    this.#run(async () => {
      while (this.#state === 'LAGGING') {
        await this.#subscription.sink.drained();
        // The subscription ended or began to resync while the socket was draining.
        if (this.#state !== 'LAGGING') return;
        const missed = this.#group.bufferedAfter(this.number);
        if (!missed) return this.#resync('TOO_FAR_BEHIND');
        const outcome = this.#sendAll(missed);
        if (outcome === 'FULL') continue;
        this.#group.remove(this);
        if (outcome === 'NOT_EXECUTED') return this.#catchUp();
        this.#join();
      }
    });
  }

  /**
   * Resyncs: sends the restart point (snapshot or reset) and continues after it. A subscription that has no
   * restart points ends with an error, except after TOO_FAR_BEHIND: then the log still has every entry, so
   * the subscriber catches up.
   */
  async #resync(cause: RestartCause): Promise<void> {
    this.#group.remove(this);
    this.#state = 'CATCHING_UP';
    const { findResyncPoint: startAnew } = this.#subscription;
    if (!startAnew && cause !== 'TOO_FAR_BEHIND') return this.#expire(createExpiredCursorError(cause));
    if (startAnew && !(await this.#spendBudget(1))) return;
    const resyncPoint = await startAnew?.(cause);
    this.#metrics?.overflows.inc({ sent: resyncPoint?.frame.kind ?? 'LOG' });
    if (this.#hasEnded()) return;
    if (resyncPoint) await this.#sendResyncPoint(resyncPoint);
    await this.#catchUp();
  }

  #hasEnded(): boolean {
    return this.#state === 'ENDED';
  }

  /**
   * Runs asynchronous work of this subscription. After an unexpected error, closes the connection without
   * completing the subscription, so that the client reconnects and resumes after its cursor.
   */
  #run(work: () => Promise<void>): void {
    work().catch((error) => {
      if (this.#hasEnded()) return;
      if (error instanceof CursorError) return this.#expire(error);
      this.#onFault(error);
      this.#closeForRetry();
    });
  }

  #closeForRetry(): void {
    this.end();
    this.#subscription.sink.closeForRetry();
  }
}
