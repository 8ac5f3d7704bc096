import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Viewer } from '../domain/access.ts';
import type { Clock } from '../domain/ports.ts';
import type { WatchDelivery } from '../telemetry/deliveries.ts';
import { type CursorExpiry, type LogPlace, placeAfter } from './cursor.ts';
import type { FrameJson } from './frame-json.ts';
import { keyOfEntry, type LastingResults, SharedExecution, type Shown } from './shared-execution.ts';
import type { LogProgress, Selection } from './stream.ts';
import type { Entry, Listener, Progress } from './tail.ts';

/** How many frames are sent before others on this process have their turn. */
const SERVED_AT_ONCE = 200;
/** What is kept for all together who do not read fast enough; who needs more has fallen behind. */
const MOST_KEPT = 1_000;
const MOST_KEPT_LENGTH = 1024 * 1024;

/** What may wait to be passed on, in entries. */
const MOST_UNHEARD = 1_000;

/** What is sent of a frame. */
interface Result {
  /** For a viewer, by `viewerKey`; undefined where it was not executed for them. */
  jsonFor(viewerKey: string): FrameJson | undefined;
  /** For all viewers together. */
  readonly length: number;
}

export interface Passed extends Result {
  readonly entry: Entry;
  readonly place: LogPlace;
}

/** A subscriber that may be in step with the others. */
export interface Member extends LogProgress {
  readonly viewer: Viewer;
  readonly viewerKey: string;
  /** When its connection became full, by the process's clock in milliseconds. */
  readonly fullSince: number;
  wants(entry: Entry): boolean;
  /** The next entries, for one who is in step; others come to them by themselves. */
  offer(passed: readonly Passed[]): void;
  /** Leaves the audience, which cannot serve it, and reads on from the log by itself. */
  fallBack(): void;
  /** Restarts: the log has lost what it was shown. */
  rewound(why: CursorExpiry): void;
  /** Whether nothing was sent since this was last asked, to one who wants to hear of that. */
  wantsHeartbeat(): boolean;
  sendHeartbeat(json: FrameJson): void;
}

/**
 * The followers of one log who select the same. Each entry is executed once for all of them (once for each viewer
 * where the selection depends on the viewer), and passed to those who are in step with it.
 */
export class Audience implements Listener {
  readonly execution: SharedExecution;
  readonly #live = new Set<Member>();
  /** Those whose connections are full. What they miss is kept, once for all of them, within bounds. */
  readonly #lagging = new Set<Member>();
  #kept: Passed[] = [];
  #keptLength = 0;
  /** Number of the newest entry that was passed on here. */
  #position = 0;
  #passing: Promise<void> = Promise.resolve();
  #unheard = 0;
  #beating: Promise<void> | null = null;
  /** All who follow, in step or not. */
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

  /** From here on a follower gets what comes; it must have seen everything up to the tail's head. */
  join(follower: Member): void {
    this.#live.add(follower);
  }

  leave(follower: Member): void {
    this.#live.delete(follower);
    this.#lagging.delete(follower);
    if (this.#lagging.size === 0) this.#forgetKept();
  }

  /** The follower's connection is full: it gets what it misses when it has room again. */
  waitFor(follower: Member): void {
    this.#live.delete(follower);
    this.#lagging.add(follower);
  }

  /** What a lagging follower has missed after a number; null where that is no longer kept. */
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

  /** Takes entries to pass on, in order. Resolves when all who keep up have been sent them, or nobody waits for them. */
  hear(entries: readonly Entry[]): Promise<void> {
    this.#unheard += entries.length;
    const passOn = async () => {
      this.#unheard -= entries.length;
      // Where this selection takes longer than the log takes to grow, its followers go by themselves.
      if (this.#unheard > MOST_UNHEARD) this.#skip(entries);
      else await this.#watch(entries, () => this.#passOn(entries));
    };
    this.#passing = this.#passing.then(passOn).catch(() => this.#skip(entries));
    return this.#passing;
  }

  /** Restarts the members that were shown what the log lost; in order with the entries that were heard. */
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
    const passed = entries.map((entry) => ({
      entry,
      place: placeAfter(entry),
      ...(results.get(keyOfEntry(entry)) ?? NOBODYS),
    }));
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
   * Sends heartbeats to the members that were sent nothing since the last time. Queued behind the entries that are being
   * passed on: a heartbeat says that nothing happened since the last frame, so it must not overtake one.
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
      // While it was executed the follower may have been sent something newer.
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
   * What is sent of each, by the keys that were given. Where it depends on the viewer, each gets executed what one of
   * their followers wants.
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
      if (!this.execution.dependsOnViewer)
        return new Map(
          shown.map(({ key }, index) => [
            key,
            { jsonFor: () => forAll[index], length: forAll[index]?.length ?? 0 },
          ]),
        );
    }
    const byKey = new Map(shown.map(({ key }) => [key, new Map<string, FrameJson>()]));
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
          byKey.get(key)?.set(viewerKey, results[index] as FrameJson);
      }),
    );
    return new Map(
      [...byKey].map(([key, ofEach]) => [
        key,
        {
          jsonFor: (viewerKey) => ofEach.get(viewerKey),
          length: [...ofEach.values()].reduce((total, json) => total + json.length, 0),
        },
      ]),
    );
  }

  #keep(passed: readonly Passed[]): void {
    this.#kept = [...this.#kept, ...passed];
    this.#keptLength += lengthOf(passed);
    let excess = 0;
    // What is passed on just now is kept in any case.
    while (this.#kept.length - excess > passed.length && this.#isTooMuch(excess)) {
      this.#keptLength -= this.#kept[excess]?.length ?? 0;
      excess += 1;
    }
    if (excess === 0) return;
    this.#kept = this.#kept.slice(excess);
    // Nothing is executed for those who have fallen behind; they find out when they have room again.
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
