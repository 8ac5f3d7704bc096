/** Interfaces that the core declares and adapters implement; `composition/` connects them. */
import type { FeedEntry } from './session.ts';
import type { TemplateCatalogue } from './templates.ts';

/** Source of the current time, which tests can replace. */
export interface Clock {
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };

/** Personal data of a customer, as given to startSession. */
export interface ContactDetails {
  readonly phone: string | null;
  readonly name: string | null;
  readonly email: string | null;
  readonly address: string | null;
}

/** Customer, as stored by the provider. */
export interface ProviderUser extends ContactDetails {
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
  /**
   * Link to the video recording of the call; null until a call has ended. The link expires soon and is never
   * stored.
   */
  readonly recordingLink: string | null;
  /** Expiry of the recording link; null if the link does not contain its expiry. */
  readonly recordingLinkExpiresAt: Date | null;
  readonly agentRemarks: string | null;
  readonly auditorRemarks: string | null;
  /** Fields that could not be parsed, with the provider's names. Such fields count as missing. */
  readonly ignored?: readonly IgnoredProviderField[];
}

export interface IgnoredProviderField {
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
export interface StartVerificationRequest {
  readonly verificationId: string;
  readonly userId: string;
  readonly userTemplate?: string | undefined;
  readonly agentTemplate?: string | undefined;
  readonly notificationTypes?: readonly string[] | undefined;
  readonly aadhaarDetails?: AadhaarDetails | undefined;
  readonly securityQuestions?: readonly SecurityQuestion[] | undefined;
}

/**
 * Client of a provider's API. Every method may throw a `ProviderFailure`. The `find…` methods return null if
 * the provider has no such object.
 */
export interface ProviderClient {
  createUser(user: ProviderUser): Promise<ProviderUser>;
  findUser(userId: string): Promise<ProviderUser | null>;
  /** Changes the fields that are not null. The provider cannot change a phone number. */
  updateUser(user: Omit<ProviderUser, 'phone'>): Promise<ProviderUser>;
  startVerification(request: StartVerificationRequest): Promise<ProviderSession>;
  findVerification(verificationId: string): Promise<ProviderSession | null>;
  createSdkToken(referenceId: string, userId: string): Promise<SdkToken>;
}

/** Content of a webhook: the state of one verification, and the time of the event by the provider's clock. */
export interface WebhookPayload {
  readonly eventTime: Date;
  readonly session: ProviderSession;
}

/** Webhook whose content could not be parsed. */
export interface UnparsableWebhook {
  /** Reason as a sentence. Contains names of fields but no values, because values may be personal data. */
  readonly problem: string;
  /** Verification id; null if the webhook names no verification, or several. */
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
 * Signature check and parser of a provider's webhooks. No method calls the provider. `parse` depends on no
 * setting, because stored webhooks are parsed again later and must then give the same result.
 */
export interface ProviderWebhooks {
  /**
   * Checks the form of the signature and the age of the webhook. Called before the body is read, so that an
   * unsigned request costs no more than a cheap refusal.
   */
  checkHeaders(headers: WebhookHeaders): 'OK' | WebhookRefusal;
  /**
   * Checks the headers (`checkHeaders`), then compares the signature of the raw body, in constant time, under
   * each active secret (during a rotation there are several).
   */
  verify(delivery: { readonly headers: WebhookHeaders; readonly body: Buffer }): 'OK' | WebhookRefusal;
  /**
   * Parses the raw body. Must limit its own time and memory, because even a correctly signed body may be
   * malformed.
   */
  parse(body: Buffer): WebhookPayload | UnparsableWebhook;
  /**
   * Names of the fields of a body, at any depth, whose values say nothing about a person. `npm run inbox -- show`
   * hides the values of all others.
   */
  readonly impersonalFields: readonly string[];
}

/** Video-verification provider: a client for its calls, a parser for its webhooks, and the templates of its account. */
export interface Provider {
  /**
   * Lower-case name of the provider. The name is stored with each session and is part of the webhook URL
   * (`/webhooks/<name>`), so it must never change.
   */
  readonly name: string;
  /** Returns a client whose calls are counted against the call budget as mutations or as polls (`purpose`). */
  calls(purpose: ProviderCallPurpose): ProviderClient;
  readonly webhooks: ProviderWebhooks;
  readonly templates: TemplateCatalogue;
}

/**
 * Purpose of a provider call: the caller of a mutation waits for the answer; a poll runs in the background.
 */
export type ProviderCallPurpose = 'MUTATION' | 'POLL';

/** Budget of provider calls, shared by all replicas. */
export interface ProviderCallBudget {
  /** Resolves when a call may be made. Throws a `ProviderFailure` if the wait would be too long for the purpose. */
  take(purpose: ProviderCallPurpose): Promise<void>;
  /**
   * Stops polls, or all calls, for some seconds, because the provider's rate limit is almost, or completely,
   * used up.
   */
  pause(seconds: number, whom: 'POLLS' | 'EVERYONE'): Promise<void>;
}

/**
 * Callbacks by which a doorbell (notification between replicas that something was recorded) notifies a
 * listener.
 */
export interface DoorbellListener {
  /**
   * Called when a session's log may have grown to this sequence. `entry` is passed only in the process that assigned
   * the feed position of the transition, where it saves a database read.
   */
  onRing(sessionId: string, sequence: number, entry?: FeedEntry): void;
  /**
   * Called if notifications may have been lost, for example after a reconnect: the listener must read every log
   * that it follows.
   */
  onGap(): void;
}

/**
 * Notifies all replicas, after a commit, that a session's log grew. Notifications may be lost, repeated,
 * reordered or delayed, so a receiver must always check the log itself.
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
