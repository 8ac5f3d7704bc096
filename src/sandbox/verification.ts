import { findDocumentedEventType } from './documented-events.ts';
import { buildJourney } from './journey.ts';
import { createSeededRandom } from './seeded-random.ts';
import { type JourneyStep, type SandboxSubStatus, toRawStatus } from './step.ts';

const LINK_LIFE_DAYS = 30;
const DAY_MS = 86_400_000;
const LINK_CODE_LENGTH = 12;

/** Start of a verification. The whole course of the verification follows from these values and the clock. */
export interface VerificationStart {
  readonly verification_id: string;
  readonly user_id: string;
  readonly user_reference_id: number;
  readonly template: string;
  readonly aadhaar_sent: boolean;
  readonly seed: string;
  /**
   * Speed of the journey relative to real time. If null, the verification advances only by calls of
   * `/_sandbox`.
   */
  readonly speed: number | null;
  /** Start time in ISO 8601. */
  readonly at: string;
}

/** One customer's verification at the provider, which advances through its journey. */
export class Verification {
  readonly start: VerificationStart;
  readonly referenceId: number;
  readonly #steps: readonly JourneyStep[];
  readonly #link: string;
  #position = 0;
  /**
   * Time of the current step, in fractional milliseconds, because rounding errors would add up over many
   * short steps.
   */
  #time: number;
  #meeting: number | null = null;

  constructor(start: VerificationStart, referenceId: number) {
    this.start = start;
    this.referenceId = referenceId;
    const { verification_id: verificationId, seed, template, aadhaar_sent: aadhaarSent } = start;
    this.#steps = buildJourney({ verificationId, seed, template, aadhaarSent });
    this.#time = Date.parse(start.at);
    const code = createSeededRandom(seed, verificationId, 'link').code(LINK_CODE_LENGTH);
    this.#link = `https://forms-test.cashfree.com/verification/${code}`;
  }

  get id(): string {
    return this.start.verification_id;
  }

  get subStatus(): SandboxSubStatus {
    return (this.#steps[this.#position] as JourneyStep).subStatus;
  }

  /** Whether the webhook of the current step is lost. */
  get isWebhookLost(): boolean {
    return (this.#steps[this.#position] as JourneyStep).webhookLost ?? false;
  }

  /** Index of the current step in the journey. The index identifies the step and its webhook. */
  get position(): number {
    return this.#position;
  }

  /**
   * Time at which the next step is due, in milliseconds since 1970. Null if there is no next step, or if only
   * calls of `/_sandbox` advance the verification.
   */
  get dueAt(): number | null {
    return this.start.speed === null ? null : this.#nextTime;
  }

  /**
   * Takes the next step, at its due time or at `notLaterThan`, whichever is earlier. Returns false if the
   * journey has ended.
   */
  advance(notLaterThan = Number.POSITIVE_INFINITY): boolean {
    const next = this.#steps[this.#position + 1];
    if (!next) return false;
    this.#time = Math.min(this.#nextTime as number, notLaterThan);
    this.#position += 1;
    if (next.meetingInSeconds) this.#meeting = this.#time + this.#scaled(next.meetingInSeconds);
    if (next.subStatus === 'USER_MEETING_CANCELLED') this.#meeting = null;
    return true;
  }

  /** Returns the response of `GET /vkyc`. */
  asAnswer() {
    return {
      ...this.asStarted(),
      recording_link: this.#hasRecording
        ? `https://storage.cashfree.com/recording/${this.referenceId}?X-Amz-Date=${this.#stamp}&X-Amz-Expires=3600`
        : null,
      meeting_schedule: this.#meeting === null ? null : isoOf(this.#meeting),
      agent_remarks: this.#remarks('AGENT'),
      auditor_remarks: this.#remarks('AUDITOR'),
    };
  }

  /** Returns the response of `POST /vkyc`, without the fields that echo the request. */
  asStarted() {
    const link = this.subStatus === 'INSUFFICIENT_BALANCE' ? null : this.#link;
    return this.#core(link, link && this.#linkExpiry);
  }

  /**
   * Returns the body of a webhook in the provider's form: `""` for missing values, dates without time, times
   * in whole seconds.
   */
  asWebhook() {
    const { vkyc_link, link_expiry } = this.asStarted();
    return {
      event_type: findDocumentedEventType(this.subStatus) ?? 'VKYC_USER_STATUS_CHANGED',
      event_time: `${isoOf(this.#time).slice(0, 19)}Z`,
      version: 'v1',
      data: {
        ...this.#core(vkyc_link ?? '', link_expiry?.slice(0, 10) ?? ''),
        recording_link: '',
        meeting_schedule: this.#meeting === null ? '' : isoOf(this.#meeting),
      },
    };
  }

  /** Returns the overview that `/_sandbox` shows to people. */
  asOverview() {
    const { status, subStatus } = toRawStatus(this.subStatus);
    return {
      verification_id: this.id,
      status,
      sub_status: subStatus,
      since: isoOf(this.#time),
      remaining_steps: this.#remaining().map(({ step, time }) => ({
        sub_status: step.subStatus,
        at: isoOf(time),
      })),
    };
  }

  get #nextTime(): number | null {
    const next = this.#steps[this.#position + 1];
    return next ? this.#time + this.#scaled(next.afterSeconds) : null;
  }

  /** Returns the steps that are still to come, with their expected times. */
  #remaining(): { step: JourneyStep; time: number }[] {
    let time = this.#time;
    return this.#steps.slice(this.#position + 1).map((step) => {
      time += this.#scaled(step.afterSeconds);
      return { step, time };
    });
  }

  #scaled(seconds: number): number {
    return (seconds * 1000) / (this.start.speed ?? 1);
  }

  /**
   * Returns the time at which the link expires: the expiry step of the journey or, without such a step, the time
   * that the first step says, or midnight after 30 days.
   */
  get #linkExpiry(): string {
    if (this.subStatus === 'VKYC_EXPIRED') return isoOf(this.#time);
    const expiry = this.#remaining().find(({ step }) => step.subStatus === 'VKYC_EXPIRED');
    if (expiry) return isoOf(expiry.time);
    const seconds = this.#steps[0]?.linkEndsInSeconds;
    if (seconds) return isoOf(Date.parse(this.start.at) + this.#scaled(seconds));
    const midnight = new Date(Date.parse(this.start.at) + LINK_LIFE_DAYS * DAY_MS);
    midnight.setUTCHours(0, 0, 0, 0);
    return midnight.toISOString();
  }

  get #past(): readonly JourneyStep[] {
    return this.#steps.slice(0, this.#position + 1);
  }

  /** Returns whether the verification has a recording. A recording exists once a call has ended. */
  get #hasRecording(): boolean {
    return this.#past.some((step) => step.subStatus.endsWith('ENDED_CALL'));
  }

  get #stamp(): string {
    return isoOf(this.#time).replace(/[-:]|\.\d+/g, '');
  }

  /** Returns the remarks of the agent, who writes them when the call ends, or of the auditor. */
  #remarks(by: 'AGENT' | 'AUDITOR'): string | null {
    const reviewed = this.#past.findLast(
      ({ subStatus }) =>
        toRawStatus(subStatus).status === `${by}_REVIEWED` ||
        (by === 'AGENT' && subStatus === 'AGENT_ENDED_CALL'),
    );
    return reviewed ? `The sandbox's ${by.toLowerCase()} says: ${reviewed.subStatus}.` : null;
  }

  #core(link: string | null, linkExpiry: string | null) {
    const { status, subStatus } = toRawStatus(this.subStatus);
    return {
      verification_id: this.id,
      reference_id: this.referenceId,
      user_reference_id: this.start.user_reference_id,
      user_id: this.start.user_id,
      status,
      sub_status: subStatus,
      vkyc_link: link,
      link_expiry: linkExpiry,
    };
  }
}

const isoOf = (time: number): string => new Date(time).toISOString();
