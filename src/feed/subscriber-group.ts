import { setImmediate as nextTurn } from 'node:timers/promises';
import type { OverdueSession } from '../db/sessions/deadlines.ts';
import type { Viewer } from '../domain/access.ts';
import type { Clock } from '../domain/ports.ts';
import type { MeasureTransitionDelivery } from '../telemetry/deliveries.ts';
import { type CursorExpiryReason, getPositionAfter, type LogPosition } from './cursor.ts';
import type { FrameJson } from './frame-json.ts';
import type { LogReadProgress, LogTailEntry, LogTailListener } from './log-tail.ts';
import {
  type FrameRequest,
  type FrameResult,
  type FrameResultCache,
  getFrameKey,
  SharedFrameExecutor,
} from './shared-execution.ts';
import type { FrameSelection, SubscriberProgress } from './subscription.ts';

/**
 * Maximum number of frames sent in one tick before yielding to the event loop, so that a large fan-out does
 * not delay other work.
 */
const MAX_SENT_PER_TICK = 200;
/**
 * Limits of the buffer for lagging subscribers (those whose sockets are full): number of entries, and
 * characters of their results. A subscriber that missed more entries than the buffer holds must resync.
 */
const MAX_BUFFERED = 1_000;
const MAX_BUFFERED_LENGTH = 1024 * 1024;

/**
 * Maximum number of entries queued for execution in a group. If more are queued, the group drops them, and
 * each of its subscribers reads the log at its own pace.
 */
const MAX_QUEUED = 1_000;

/** Results of one entry's frame: one result for all viewers, or one for each viewer. */
interface Result {
  /** Returns the result for a viewer; undefined if the frame was not executed for this viewer. */
  jsonFor(viewerKey: string): FrameJson | undefined;
  /** Total number of characters in the results of all viewers. */
  readonly length: number;
}

export interface ExecutedEntry extends Result {
  readonly entry: LogTailEntry;
  readonly position: LogPosition;
}

/** Interface of a subscriber towards its group. */
export interface GroupMember extends SubscriberProgress {
  readonly viewer: Viewer;
  readonly viewerKey: string;
  /** Time at which the subscriber's socket last became full, by `performance.now()`. */
  readonly fullSince: number;
  wants(entry: LogTailEntry): boolean;
  /**
   * Sends the entries if the subscriber is live; otherwise does nothing, because the subscriber then fetches
   * missed entries itself.
   */
  deliver(executed: readonly ExecutedEntry[]): void;
  /** Switches the subscriber to catching up: it leaves the group and reads the log at its own pace. */
  switchToCatchUp(): void;
  /** Resyncs the subscriber, because the log has lost entries that it was sent (failover or archiving). */
  resync(why: CursorExpiryReason): void;
  /**
   * Returns true if the subscriber is live, wants heartbeats, and was sent nothing since the previous call. A
   * true result counts as something sent, so the next call returns false.
   */
  wantsHeartbeat(): boolean;
  sendHeartbeat(json: FrameJson): void;
  /** Whether the subscriber is sent a frame when the deadline of this session passes. */
  wantsDeadline(due: OverdueSession): boolean;
  /** Sends the frame of a deadline if the subscriber is live and its socket has room; otherwise returns false. */
  sendDeadline(json: FrameJson): boolean;
  /** Keeps a passed deadline, of which the subscriber is told when it is live again. */
  holdDeadline(due: OverdueSession): void;
}

/**
 * Group of all subscribers of one log that select the same fields. Executes each entry once for all of them
 * (once per viewer if the result depends on the viewer), and sends the result to the live subscribers.
 */
export class SubscriberGroup implements LogTailListener {
  readonly execution: SharedFrameExecutor;
  /** All subscribers that are sent frames of deadlines, whatever their state. */
  readonly deadlineMembers = new Set<GroupMember>();
  readonly #live = new Set<GroupMember>();
  /**
   * Lagging subscribers: their sockets are full. One shared buffer of limited size keeps the entries that
   * these subscribers miss.
   */
  readonly #lagging = new Set<GroupMember>();
  #buffer: ExecutedEntry[] = [];
  #bufferLength = 0;
  /** Number of the newest log entry that was published to this group. */
  #position = 0;
  #publishing: Promise<void> = Promise.resolve();
  #queued = 0;
  #heartbeats: Promise<void> | null = null;
  /** Number of all subscribers, whether they are catching up, live or lagging. */
  size = 0;

  readonly #observeDelivery: MeasureTransitionDelivery;

  constructor(
    selection: FrameSelection,
    watch: MeasureTransitionDelivery = (_entries, passOn) => passOn(),
    immutable?: FrameResultCache,
  ) {
    this.#observeDelivery = watch;
    this.execution = new SharedFrameExecutor(selection, immutable);
  }

  /**
   * Adds a live subscriber, which is sent every entry from now on. The subscriber must have seen all entries
   * up to the tail's head, so that none is missed.
   */
  addLive(member: GroupMember): void {
    this.#live.add(member);
  }

  remove(member: GroupMember): void {
    this.#live.delete(member);
    this.#lagging.delete(member);
    if (this.#lagging.size === 0) this.#clearBuffer();
  }

  /**
   * Marks a subscriber as lagging: its socket is full. After the socket has drained, the subscriber is sent
   * the missed entries from the buffer.
   */
  markLagging(member: GroupMember): void {
    this.#live.delete(member);
    this.#lagging.add(member);
  }

  /**
   * Returns the entries after entry `number` from the buffer; null if the buffer no longer holds all of them.
   */
  bufferedAfter(number: number): readonly ExecutedEntry[] | null {
    const missed = Math.max(0, this.#position - number);
    if (missed > this.#buffer.length) return null;
    return missed === 0 ? [] : this.#buffer.slice(-missed);
  }

  countSubscribers(patienceMs: number): { live: number; lagging: number } {
    const since = performance.now() - patienceMs;
    let lagging = 0;
    for (const member of this.#lagging) if (member.fullSince > since) lagging += 1;
    return { live: this.#live.size, lagging };
  }

  /**
   * Queues entries, and sends them in order. Resolves when every live subscriber has been sent the entries,
   * or was switched to catching up (reading the log itself).
   */
  publish(entries: readonly LogTailEntry[]): Promise<void> {
    this.#queued += entries.length;
    const passOn = async () => {
      this.#queued -= entries.length;
      // Overload: entries arrive faster than this selection can be executed on them, so the group's
      // subscribers read the log at their own pace instead.
      if (this.#queued > MAX_QUEUED) this.#skip(entries);
      else await this.#observeDelivery(entries, () => this.#publishNow(entries));
    };
    this.#publishing = this.#publishing.then(passOn).catch(() => this.#skip(entries));
    return this.#publishing;
  }

  /**
   * Resyncs the subscribers that were sent entries which the log has since lost (failover). Runs after the
   * entries that are already queued, so that the order of frames is kept.
   */
  onRewind(why: CursorExpiryReason, to: number, holds: (progress: LogReadProgress) => boolean): void {
    this.#publishing = this.#publishing.then(() => {
      this.#buffer = this.#buffer.filter(({ entry }) => entry.number <= to);
      this.#bufferLength = totalLength(this.#buffer);
      this.#position = Math.min(this.#position, to);
      const stale = [...this.#live, ...this.#lagging].filter((member) => !holds(member));
      for (const member of stale) member.resync(why);
    });
  }

  #skip(entries: readonly LogTailEntry[]): void {
    this.#position = entries.at(-1)?.number ?? this.#position;
    this.#clearBuffer();
    for (const member of [...this.#live]) member.switchToCatchUp();
  }

  async #publishNow(entries: readonly LogTailEntry[]): Promise<void> {
    const wanted = entries.filter((entry) => this.#isWanted(entry));
    const results = await this.#executeForAll(
      wanted.map((entry) => ({
        key: getFrameKey(entry),
        frame: { kind: 'TRANSITION', transition: entry },
      })),
      (member, index) => member.wants(wanted[index] as LogTailEntry),
    );
    const executed = entries.map((entry): ExecutedEntry => {
      const result = results.get(getFrameKey(entry)) ?? NO_RESULT;
      return {
        entry,
        position: getPositionAfter(entry),
        jsonFor: (viewerKey) => result.jsonFor(viewerKey),
        length: result.length,
      };
    });
    this.#position = executed.at(-1)?.entry.number ?? this.#position;
    this.#addToBuffer(executed);
    let served = 0;
    for (const member of this.#live) {
      member.deliver(executed);
      served += executed.length;
      if (served < MAX_SENT_PER_TICK) continue;
      await nextTurn();
      served = 0;
    }
    if (this.#lagging.size === 0) this.#clearBuffer();
  }

  /**
   * Sends heartbeats to the subscribers that were sent nothing since the last call. Runs after the entries
   * that are already queued: a heartbeat says that nothing happened since the last frame, so it must not
   * overtake a frame.
   */
  sendHeartbeats(clock: Clock): Promise<void> {
    this.#heartbeats ??= this.#publishing
      .then(() => this.#executeHeartbeats(clock.now()))
      .finally(() => {
        this.#heartbeats = null;
      });
    return this.#heartbeats;
  }

  async #executeHeartbeats(serverTime: Date): Promise<void> {
    const quiet = [...this.#live].filter((member) => member.wantsHeartbeat());
    if (quiet.length === 0) return;
    const keyOf = (at: LogPosition) => `beat ${at.sessionId} ${at.sequence} ${at.fingerprint}`;
    const beats = quiet.map((member) => ({ follower: member, key: keyOf(member.at) }));
    const positions = new Map(beats.map(({ follower: member, key }) => [key, member.at]));
    const results = await this.#executeForAll(
      [...positions].map(([key, at]) => ({ key, frame: { kind: 'HEARTBEAT', at, serverTime } })),
      () => true,
    );
    for (const [index, { follower: member, key }] of beats.entries()) {
      const json = results.get(key)?.jsonFor(member.viewerKey);
      // If a newer frame was sent while the heartbeat was executed, the heartbeat is out of date and is
      // dropped.
      if (json !== undefined && keyOf(member.at) === key) member.sendHeartbeat(json);
      if ((index + 1) % MAX_SENT_PER_TICK === 0) await nextTurn();
    }
  }

  /**
   * Tells subscribers of passed deadlines: those that are live at once, after the entries that are already queued; the
   * others when they are live again. The frames have no place in the log, so that they carry the cursor of the place at
   * which the subscriber is.
   */
  passDeadlines(
    passed: readonly OverdueSession[],
    members: Iterable<GroupMember> = [...this.deadlineMembers],
  ): Promise<void> {
    const told = [...members];
    this.#publishing = this.#publishing
      .then(() => this.#tellDeadlines(passed, told))
      .catch(() => {
        for (const member of told)
          for (const due of passed) if (member.wantsDeadline(due)) member.holdDeadline(due);
      });
    return this.#publishing;
  }

  async #tellDeadlines(passed: readonly OverdueSession[], members: readonly GroupMember[]): Promise<void> {
    for (const due of passed) {
      const live: GroupMember[] = [];
      for (const member of members) {
        if (!this.deadlineMembers.has(member) || !member.wantsDeadline(due)) continue;
        if (this.#live.has(member)) live.push(member);
        else member.holdDeadline(due);
      }
      if (live.length === 0) continue;
      const keyOf = ({ at }: GroupMember) =>
        `due ${due.id} ${due.dueAt.getTime()} ${at.sessionId} ${at.sequence} ${at.fingerprint}`;
      const positions = new Map(live.map((member) => [keyOf(member), member.at]));
      const results = await this.#executeForAll(
        [...positions].map(([key, at]) => ({ key, frame: { kind: 'DEADLINE', at, due } })),
        () => true,
      );
      for (const member of live) {
        const json = results.get(keyOf(member))?.jsonFor(member.viewerKey);
        // The subscriber was resynced, or its socket became full, while the frame was executed.
        if (json === undefined || !member.sendDeadline(json)) member.holdDeadline(due);
      }
    }
  }

  #isWanted(entry: LogTailEntry): boolean {
    for (const member of this.#live) if (member.wants(entry)) return true;
    for (const member of this.#lagging) if (member.wants(entry)) return true;
    return false;
  }

  /**
   * Executes each frame once for all viewers or, if its result depends on the viewer, once for each viewer
   * with a subscriber that wants the frame. Returns the results by frame key.
   */
  async #executeForAll(
    requests: readonly FrameRequest[],
    wants: (member: GroupMember, index: number) => boolean,
  ): Promise<Map<string, Result>> {
    const [first] = [...this.#live, ...this.#lagging];
    if (requests.length === 0 || !first) return new Map();
    const occasion = {};
    if (!this.execution.dependsOnViewer) {
      const forAll = await this.execution.execute(requests, first.viewer, first.viewerKey, occasion);
      if (forAll.every(({ isShared }) => isShared))
        return new Map(requests.map(({ key }, index) => [key, forAll[index] as FrameResult]));
    }
    const byKey = new Map(requests.map(({ key }) => [key, new Map<string, FrameResult>()]));
    const ofViewer = new Map<string, GroupMember[]>();
    for (const member of [...this.#live, ...this.#lagging]) {
      const others = ofViewer.get(member.viewerKey);
      if (others) others.push(member);
      else ofViewer.set(member.viewerKey, [member]);
    }
    await Promise.all(
      [...ofViewer].map(async ([viewerKey, members]) => {
        const viewerRequests = requests.filter((_, index) => members.some((member) => wants(member, index)));
        const { viewer } = members[0] as GroupMember;
        const results = await this.execution.execute(viewerRequests, viewer, viewerKey, occasion);
        for (const [index, { key }] of viewerRequests.entries())
          byKey.get(key)?.set(viewerKey, results[index] as FrameResult);
      }),
    );
    return new Map(
      [...byKey].map(([key, ofEach]) => [
        key,
        {
          jsonFor: (viewerKey) => ofEach.get(viewerKey)?.jsonFor(viewerKey),
          length: [...ofEach.values()].reduce((total, { length }) => total + length, 0),
        },
      ]),
    );
  }

  #addToBuffer(executed: readonly ExecutedEntry[]): void {
    this.#buffer = [...this.#buffer, ...executed];
    this.#bufferLength += totalLength(executed);
    let excess = 0;
    // The buffer always keeps the whole batch that is being sent: subscribers whose sockets fill during this
    // batch need it.
    while (this.#buffer.length - excess > executed.length && this.#isTooMuch(excess)) {
      this.#bufferLength -= this.#buffer[excess]?.length ?? 0;
      excess += 1;
    }
    if (excess === 0) return;
    this.#buffer = this.#buffer.slice(excess);
    // Subscribers that missed more than the buffer holds no longer count as lagging, so that no frames are
    // executed for them. They resync once their sockets have drained.
    const oldest = this.#buffer[0]?.entry.number ?? Number.POSITIVE_INFINITY;
    for (const member of this.#lagging) if (member.number < oldest - 1) this.#lagging.delete(member);
  }

  #isTooMuch(less: number): boolean {
    return this.#buffer.length - less > MAX_BUFFERED || this.#bufferLength > MAX_BUFFERED_LENGTH;
  }

  #clearBuffer(): void {
    this.#buffer = [];
    this.#bufferLength = 0;
  }
}

const totalLength = (executed: readonly ExecutedEntry[]): number =>
  executed.reduce((total, { length }) => total + length, 0);

const NO_RESULT: Result = { jsonFor: () => undefined, length: 0 };
