import { createHash } from 'node:crypto';
import { type KnownSubStatus, pairOf } from '../domain/status.ts';
import { documentedEvent, SCENARIOS, type Step, scenarioOf } from './scenarios.ts';

const LINK_LIFE_DAYS = 30;

/** The body of `POST /vkyc`, as it came. */
export interface VerificationRequest {
  readonly verification_id: string;
  readonly user_id: string;
  readonly user_reference_id: number;
  readonly aadhaar_details?: unknown;
  readonly security_questions?: unknown;
}

/** One customer's verification at the provider, walking through its scenario. */
export class Verification {
  readonly request: VerificationRequest;
  readonly referenceId: number;
  readonly #steps: readonly Step[];
  readonly #link: string;
  readonly #linkExpiry: Date;
  #reached = 0;
  #time: Date;
  #meeting: Date | null = null;

  constructor(request: VerificationRequest, referenceId: number, now: Date) {
    this.request = request;
    this.referenceId = referenceId;
    const { steps } = SCENARIOS[scenarioOf(request.verification_id)];
    // Where the merchant sends the Aadhaar details, the provider skips that step and starts past it.
    this.#steps = request.aadhaar_details ? steps.slice(1) : steps;
    this.#time = now;
    const code = createHash('sha256').update(request.verification_id).digest('hex').slice(0, 12);
    this.#link = `https://forms-test.cashfree.com/verification/${code}`;
    this.#linkExpiry = new Date(now.getTime() + LINK_LIFE_DAYS * 86_400_000);
    this.#linkExpiry.setUTCHours(0, 0, 0, 0);
  }

  get subStatus(): KnownSubStatus {
    return (this.#steps[this.#reached] as Step).subStatus;
  }

  /** Seconds until the next step, or null at the journey's end. */
  get nextInSeconds(): number | null {
    return this.#steps[this.#reached + 1]?.afterSeconds ?? null;
  }

  /** Goes one step on, by the scenario's own clock. False at the end. */
  advance(): boolean {
    const next: Step | undefined = this.#steps[this.#reached + 1];
    if (!next) return false;
    this.#reached += 1;
    this.#time = new Date(this.#time.getTime() + next.afterSeconds * 1000);
    if (next.meetingInSeconds) this.#meeting = new Date(this.#time.getTime() + next.meetingInSeconds * 1000);
    return true;
  }

  /** The answer of `POST /vkyc`, which echoes what was sent. */
  asStarted() {
    const { aadhaar_details, security_questions } = this.request;
    return { ...this.#core(this.#linkExpiry.toISOString()), aadhaar_details, security_questions };
  }

  /** The answer of `GET /vkyc`. */
  asAnswer() {
    return {
      ...this.#core(this.#linkExpiry.toISOString()),
      recording_link: this.#hasRecording
        ? `https://storage.cashfree.com/recording/${this.referenceId}?X-Amz-Date=${this.#stamp}&X-Amz-Expires=3600`
        : null,
      meeting_schedule: this.#meeting?.toISOString() ?? null,
      agent_remarks: this.#remarks('AGENT'),
      auditor_remarks: this.#remarks('AUDITOR'),
    };
  }

  /** The body of a webhook: `""` for nothing, dates without time, times in whole seconds. */
  asWebhook() {
    return {
      event_type: documentedEvent(this.subStatus) ?? 'VKYC_USER_STATUS_CHANGED',
      event_time: `${this.#time.toISOString().slice(0, 19)}Z`,
      version: 'v1',
      data: {
        ...this.#core(this.#linkExpiry.toISOString().slice(0, 10)),
        recording_link: '',
        meeting_schedule: this.#meeting?.toISOString() ?? '',
      },
    };
  }

  /** From the end of the call on. */
  get #hasRecording(): boolean {
    return this.#steps.slice(0, this.#reached + 1).some((step) => step.subStatus.endsWith('ENDED_CALL'));
  }

  get #stamp(): string {
    return this.#time.toISOString().replace(/[-:]|\.\d+/g, '');
  }

  #remarks(by: 'AGENT' | 'AUDITOR'): string | null {
    const reviewed = this.#steps
      .slice(0, this.#reached + 1)
      .find((step) => pairOf(step.subStatus).status === `${by}_REVIEWED`);
    return reviewed ? `The sandbox's ${by.toLowerCase()} says: ${reviewed.subStatus}.` : null;
  }

  #core(linkExpiry: string) {
    const { status, subStatus } = pairOf(this.subStatus);
    return {
      verification_id: this.request.verification_id,
      reference_id: this.referenceId,
      user_reference_id: this.request.user_reference_id,
      user_id: this.request.user_id,
      status,
      sub_status: subStatus,
      vkyc_link: this.#link,
      link_expiry: linkExpiry,
    };
  }
}
