import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Viewer } from '../domain/access.ts';
import type { Clock } from '../domain/ports.ts';
import type { WatchDelivery } from '../telemetry/deliveries.ts';
import { type CursorExpiry, type LogPlace, placeAfter } from './cursor.ts';
import type { FrameJson } from './frame-json.ts';
import {
  type FrameResult,
  keyOfEntry,
  type LastingResults,
  SharedExecution,
  type Shown,
} from './shared-execution.ts';
import type { LogProgress, Selection } from './stream.ts';
import type { Entry, Listener, Progress } from './tail.ts';

/** Frames sent in one tick before yielding to the event loop, so that one large fan-out does not delay other work. */
const SERVED_AT_ONCE = 200;
/**
 * Entries, and characters of results, buffered once for all lagging subscribers of the group. A subscriber that missed
 * more is too far behind to be served from the buffer.
 */
const MOST_KEPT = 1_000;
const MOST_KEPT_LENGTH = 1024 * 1024;

/** Entries that may be queued for this group. Beyond that its subscribers read the log on their own. */
const MOST_UNHEARD = 1_000;

/** Executed frame of one entry, shared by all subscribers or executed for each viewer. */
interface Result {
  /** Returns the result for a viewer; undefined if the frame was not executed for them. */
  jsonFor(viewerKey: string): FrameJson | undefined;
  /** Characters of all viewers' results together. */
  readonly length: number;
}

export interface Passed extends Result {
  readonly entry: Entry;
  readonly place: LogPlace;
}

/** Subscriber as its group sees it. */
export interface Member extends LogProgress {
  readonly viewer: Viewer;
  readonly viewerKey: string;
  /** When its socket became full, by `performance.now()`. */
  readonly fullSince: number;
  wants(entry: Entry): boolean;
  /** Sends the entries if the subscriber is live; in other states it fetches them itself. */
  offer(passed: readonly Passed[]): void;
  /** Switches to catching up: leaves the group and reads the log on its own. */
  fallBack(): void;
  /** Resyncs: the log has lost entries that this subscriber was sent. */
  rewound(why: CursorExpiry): void;
  /** True if the subscriber wants heartbeats and was sent nothing since the previous call, which resets the flag. */
  wantsHeartbeat(): boolean;
  sendHeartbeat(json: FrameJson): void;
}

/**
 * Group of all subscribers of one log with the same selection. Executes each entry once for all of them (once per
 * viewer if the result depends on the viewer) and sends it to those that are live.
 */
export class Audience implements Listener {
  readonly execution: SharedExecution;
  readonly #live = new Set<Member>();
  /** Subscribers whose sockets are full. What they miss is buffered once for all of them, within limits. */
  readonly #lagging = new Set<Member>();
  #kept: Passed[] = [];
  #keptLength = 0;
  /** Number of the newest entry that this group was sent. */
  #position = 0;
  #passing: Promise<void> = Promise.resolve();
  #unheard = 0;
  #beating: Promise<void> | null = null;
  /** Number of all subscribers: catching up, live and lagging. */
  members = 0;

  readonly #watch: WatchDelivery;

  constructor(
    selection: Selection,
    watch: WatchDelivery = (_entries, passOn) => passOn(),
    lasting?: LastingResults,
  ) {
    this.#watch = watch;
    this.execution = new SharedExecution(selection, lasting);
  }

  /** Adds a live subscriber, which gets every entry from now on. It must have seen everything up to the tail's head. */
  join(follower: Member): void {
    this.#live.add(follower);
  }

  leave(follower: Member): void {
    this.#live.delete(follower);
    this.#lagging.delete(follower);
    if (this.#lagging.size === 0) this.#forgetKept();
  }

  /** Marks a subscriber as lagging: its socket is full, and it gets what it missed once the socket has drained. */
  waitFor(follower: Member): void {
    this.#live.delete(follower);
    this.#lagging.add(follower);
  }

  /** Returns the buffered entries after a number; null if they are no longer all in the buffer. */
  missedAfter(number: number): readonly Passed[] | null {
    const missed = Math.max(0, this.#position - number);
    if (missed > this.#kept.length) return null;
    return missed === 0 ? [] : this.#kept.slice(-missed);
  }

  pace(patienceMs: number): { live: number; lagging: number } {
    const since = performance.now() - patienceMs;
    let lagging = 0;
    for (const follower of this.#lagging) if (follower.fullSince > since) lagging += 1;
    return { live: this.#live.size, lagging };
  }

  /**
   * Queues entries and sends them in order. Resolves when all live subscribers have been sent them, or were switched to
   * catching up.
   */
  hear(entries: readonly Entry[]): Promise<void> {
    this.#unheard += entries.length;
    const passOn = async () => {
      this.#unheard -= entries.length;
      // Executing this selection takes longer than the log takes to grow: let its subscribers catch up on their own.
      if (this.#unheard > MOST_UNHEARD) this.#skip(entries);
      else await this.#watch(entries, () => this.#passOn(entries));
    };
    this.#passing = this.#passing.then(passOn).catch(() => this.#skip(entries));
    return this.#passing;
  }

  /**
   * Resyncs the subscribers that were sent entries which the log has lost. Queued behind the entries that were
   * published before.
   */
  rewound(why: CursorExpiry, to: number, holds: (progress: Progress) => boolean): void {
    this.#passing = this.#passing.then(() => {
      this.#kept = this.#kept.filter(({ entry }) => entry.number <= to);
      this.#keptLength = lengthOf(this.#kept);
      this.#position = Math.min(this.#position, to);
      const stale = [...this.#live, ...this.#lagging].filter((member) => !holds(member));
      for (const member of stale) member.rewound(why);
    });
  }

  #skip(entries: readonly Entry[]): void {
    this.#position = entries.at(-1)?.number ?? this.#position;
    this.#forgetKept();
    for (const follower of [...this.#live]) follower.fallBack();
  }

  async #passOn(entries: readonly Entry[]): Promise<void> {
    const wanted = entries.filter((entry) => this.#isWanted(entry));
    const results = await this.#executeForAll(
      wanted.map((entry) => ({
        key: keyOfEntry(entry),
        frame: { kind: 'TRANSITION', transition: entry },
      })),
      (follower, index) => follower.wants(wanted[index] as Entry),
    );
    const passed = entries.map((entry): Passed => {
      const result = results.get(keyOfEntry(entry)) ?? NOBODYS;
      return {
        entry,
        place: placeAfter(entry),
        jsonFor: (viewerKey) => result.jsonFor(viewerKey),
        length: result.length,
      };
    });
    this.#position = passed.at(-1)?.entry.number ?? this.#position;
    this.#keep(passed);
    let served = 0;
    for (const follower of this.#live) {
      follower.offer(passed);
      served += passed.length;
      if (served < SERVED_AT_ONCE) continue;
      await nextTurn();
      served = 0;
    }
    if (this.#lagging.size === 0) this.#forgetKept();
  }

  /**
   * Sends heartbeats to the members that were sent nothing since the last call. Queued behind the entries that are
   * being sent: a heartbeat says that nothing happened since the last frame, so it must not overtake one.
   */
  beat(clock: Clock): Promise<void> {
    this.#beating ??= this.#passing
      .then(() => this.#sendHeartbeats(clock.now()))
      .finally(() => {
        this.#beating = null;
      });
    return this.#beating;
  }

  async #sendHeartbeats(serverTime: Date): Promise<void> {
    const quiet = [...this.#live].filter((follower) => follower.wantsHeartbeat());
    if (quiet.length === 0) return;
    const keyOf = (at: LogPlace) => `beat ${at.sessionId} ${at.sequence} ${at.fingerprint}`;
    const beats = quiet.map((follower) => ({ follower, key: keyOf(follower.at) }));
    const places = new Map(beats.map(({ follower, key }) => [key, follower.at]));
    const results = await this.#executeForAll(
      [...places].map(([key, at]) => ({ key, frame: { kind: 'HEARTBEAT', at, serverTime } })),
      () => true,
    );
    for (const [index, { follower, key }] of beats.entries()) {
      const json = results.get(key)?.jsonFor(follower.viewerKey);
      // The subscriber may have been sent a newer frame while the heartbeat was executed.
      if (json !== undefined && keyOf(follower.at) === key) follower.sendHeartbeat(json);
      if ((index + 1) % SERVED_AT_ONCE === 0) await nextTurn();
    }
  }

  #isWanted(entry: Entry): boolean {
    for (const follower of this.#live) if (follower.wants(entry)) return true;
    for (const follower of this.#lagging) if (follower.wants(entry)) return true;
    return false;
  }

  /**
   * Executes each frame once for all viewers, or, if the result depends on the viewer, once for each viewer with a
   * subscriber that wants it. Returns the results by frame key.
   */
  async #executeForAll(
    shown: readonly Shown[],
    wants: (follower: Member, index: number) => boolean,
  ): Promise<Map<string, Result>> {
    const [first] = [...this.#live, ...this.#lagging];
    if (shown.length === 0 || !first) return new Map();
    const occasion = {};
    if (!this.execution.dependsOnViewer) {
      const forAll = await this.execution.of(shown, first.viewer, first.viewerKey, occasion);
      if (forAll.every(({ isShared }) => isShared))
        return new Map(shown.map(({ key }, index) => [key, forAll[index] as FrameResult]));
    }
    const byKey = new Map(shown.map(({ key }) => [key, new Map<string, FrameResult>()]));
    const ofViewer = new Map<string, Member[]>();
    for (const follower of [...this.#live, ...this.#lagging]) {
      const others = ofViewer.get(follower.viewerKey);
      if (others) others.push(follower);
      else ofViewer.set(follower.viewerKey, [follower]);
    }
    await Promise.all(
      [...ofViewer].map(async ([viewerKey, followers]) => {
        const theirs = shown.filter((_, index) => followers.some((follower) => wants(follower, index)));
        const { viewer } = followers[0] as Member;
        const results = await this.execution.of(theirs, viewer, viewerKey, occasion);
        for (const [index, { key }] of theirs.entries())
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

  #keep(passed: readonly Passed[]): void {
    this.#kept = [...this.#kept, ...passed];
    this.#keptLength += lengthOf(passed);
    let excess = 0;
    // Never drop the batch that is being sent now.
    while (this.#kept.length - excess > passed.length && this.#isTooMuch(excess)) {
      this.#keptLength -= this.#kept[excess]?.length ?? 0;
      excess += 1;
    }
    if (excess === 0) return;
    this.#kept = this.#kept.slice(excess);
    // Do not execute frames for subscribers that missed more than the buffer holds; they resync once their sockets have
    // drained.
    const oldest = this.#kept[0]?.entry.number ?? Number.POSITIVE_INFINITY;
    for (const follower of this.#lagging) if (follower.number < oldest - 1) this.#lagging.delete(follower);
  }

  #isTooMuch(less: number): boolean {
    return this.#kept.length - less > MOST_KEPT || this.#keptLength > MOST_KEPT_LENGTH;
  }

  #forgetKept(): void {
    this.#kept = [];
    this.#keptLength = 0;
  }
}

const lengthOf = (passed: readonly Passed[]): number =>
  passed.reduce((total, { length }) => total + length, 0);

const NOBODYS: Result = { jsonFor: () => undefined, length: 0 };
