/** Interfaces that the core declares and adapters implement; `composition/` connects them. */
import type { FeedEntry } from './session.ts';
import type { TemplateCatalogue } from './templates.ts';

/** Source of the current time; tests replace it. */
export interface Clock {
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };

/** Personal data of a customer, as given to startSession. */
export interface PersonalData {
  readonly phone: string | null;
  readonly name: string | null;
  readonly email: string | null;
  readonly address: string | null;
}

/** Customer as the provider stores them. */
export interface ProviderUser extends PersonalData {
  readonly userId: string;
}

/** The provider's state of one verification. Times are null if the provider gave none. */
export interface ProviderSession {
  readonly verificationId: string;
  readonly referenceId: string | null;
  readonly userId: string | null;
  readonly rawStatus: string;
  readonly rawSubStatus: string;
  readonly link: string | null;
  readonly linkExpiresAt: Date | null;
  readonly meetingAt: Date | null;
  /** Link to the recording of the call. It is short-lived and never stored. Null until a call has ended. */
  readonly recordingLink: string | null;
  /** Null if the recording link does not say when it expires. */
  readonly recordingLinkExpiresAt: Date | null;
  readonly agentRemarks: string | null;
  readonly auditorRemarks: string | null;
  /** Fields that could not be parsed, by the provider's names; they count as missing. */
  readonly ignored?: readonly IgnoredField[];
}

export interface IgnoredField {
  readonly field: string;
  readonly problem: string;
}

/** Token with which the customer's app opens the provider's SDK. */
export interface SdkToken {
  readonly token: string;
  readonly expiresAt: Date | null;
}

export interface AadhaarDetails {
  readonly name: string;
  readonly dob: string;
  readonly gender: string;
  readonly careOf: string;
  readonly photoLink: string;
  readonly lastVerifiedAt: Date;
  readonly address: {
    readonly country: string;
    readonly dist: string;
    readonly house: string;
    readonly pincode: string;
    readonly state: string;
    readonly street: string;
    readonly po?: string | undefined;
    readonly subdist?: string | undefined;
    readonly vtc?: string | undefined;
  };
}

export interface SecurityQuestion {
  readonly order: number;
  readonly question: string;
  readonly answer: string;
}

/** Request that starts a verification at the provider. */
export interface ProviderRequest {
  readonly verificationId: string;
  readonly userId: string;
  readonly userTemplate?: string | undefined;
  readonly agentTemplate?: string | undefined;
  readonly notificationTypes?: readonly string[] | undefined;
  readonly aadhaarDetails?: AadhaarDetails | undefined;
  readonly securityQuestions?: readonly SecurityQuestion[] | undefined;
}

/** Client of a provider's API. Every call may throw a `ProviderFailure`; `find…` returns null if nothing was found. */
export interface ProviderCalls {
  createUser(user: ProviderUser): Promise<ProviderUser>;
  findUser(userId: string): Promise<ProviderUser | null>;
  /** Changes the fields that are not null. The provider cannot change a phone number. */
  updateUser(user: Omit<ProviderUser, 'phone'>): Promise<ProviderUser>;
  startVerification(request: ProviderRequest): Promise<ProviderSession>;
  findVerification(verificationId: string): Promise<ProviderSession | null>;
  createSdkToken(referenceId: string, userId: string): Promise<SdkToken>;
}

/** Content of a webhook: the state of one verification at a time of the provider's clock. */
export interface WebhookPayload {
  readonly eventTime: Date;
  readonly session: ProviderSession;
}

/** Webhook whose content could not be parsed. */
export interface UnparsableWebhook {
  /** Reason as a sentence, with field names but no values, which may be personal. */
  readonly problem: string;
  /** Null if the webhook names no verification, or several. */
  readonly verificationId: string | null;
}

/** Reason for refusing a webhook, and the message for its sender. */
export interface WebhookRefusal {
  /**
   * UNSIGNED: the signature is missing or malformed. STALE: the webhook is too old and may be a replay.
   * BADLY_SIGNED: the signature does not match the body.
   */
  readonly kind: 'UNSIGNED' | 'STALE' | 'BADLY_SIGNED';
  readonly message: string;
}

/** Headers of a request, with lower-case names. */
export type WebhookHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * A provider's webhooks: which headers sign them, how, and what their bodies mean. None of it calls the provider, and
 * `parse` depends on no setting, since webhooks are stored and parsed again later.
 */
export interface ProviderWebhooks {
  /**
   * Checks the form of the signature and the age of the webhook. Called before the body is read, so that an
   * unsigned request costs no more than a cheap refusal.
   */
  checkHeaders(headers: WebhookHeaders): 'OK' | WebhookRefusal;
  /**
   * Checks the headers as `checkHeaders` does, and then the signature over the raw body under each active
   * secret (rotation), in constant time.
   */
  verify(delivery: { readonly headers: WebhookHeaders; readonly body: Buffer }): 'OK' | WebhookRefusal;
  /** Parses the raw body. Bounds time and memory itself: a verified sender may be faulty. */
  parse(body: Buffer): WebhookPayload | UnparsableWebhook;
}

/** A provider of video verification: its calls, its webhooks and the templates of its account. */
export interface Provider {
  /**
   * Lower-case name of the provider. It is stored with each session and ends the path of the webhooks,
   * `/webhooks/<name>`, so it never changes.
   */
  readonly name: string;
  /** Returns the client whose calls count as `purpose` in the call budget. */
  calls(purpose: CallPurpose): ProviderCalls;
  readonly webhooks: ProviderWebhooks;
  readonly templates: TemplateCatalogue;
}

/**
 * Purpose of a provider call: the caller of a mutation waits for the answer; a poll runs in the background.
 */
export type CallPurpose = 'MUTATION' | 'POLL';

/** Budget of provider calls, shared by all replicas. */
export interface CallBudget {
  /** Resolves when a call may be made. Throws a `ProviderFailure` if a mutation would have to wait too long. */
  take(purpose: CallPurpose): Promise<void>;
  /** Stops polls, or all calls, for some seconds, because the provider asked for it. */
  pause(seconds: number, whom: 'POLLS' | 'EVERYONE'): Promise<void>;
}

/** Callbacks by which a doorbell notifies a listener. */
export interface DoorbellListener {
  /**
   * A session's log may have grown to this sequence. `entry` is passed only in the process that recorded the
   * transition, and saves a read.
   */
  onRing(sessionId: string, sequence: number, entry?: FeedEntry): void;
  /** Called if rings may have been lost: the listener must read every log that it follows. */
  onGap(): void;
}

/**
 * Notifies, after commit, that a session's log grew. Notifications may be lost, repeated, reordered or delayed, so
 * receivers compare with the log.
 */
export interface Doorbell {
  /**
   * Notifies the listeners in all replicas. Pass `entry` if the caller has the feed entry, so that listeners
   * in this process need not read it from the database.
   */
  ring(sessionId: string, sequence: number, entry?: FeedEntry): void;
  /** Adds a listener. Returns a function that removes it. */
  listen(listener: DoorbellListener): () => void;
  stop(): Promise<void>;
}
