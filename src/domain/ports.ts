/** Interfaces that the core declares and adapters implement; `composition/` connects them. */
import type { FeedEntry } from './session.ts';

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
  /** Short-lived; null until a call has ended. Never stored. */
  readonly recordingLink: string | null;
  readonly agentRemarks: string | null;
  readonly auditorRemarks: string | null;
  /** Fields that could not be parsed and count as missing, by the provider's names. */
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

/** The provider's REST API. Every call may throw a `ProviderFailure`; `find…` returns null if nothing was found. */
export interface Provider {
  createUser(user: ProviderUser): Promise<ProviderUser>;
  findUser(userId: string): Promise<ProviderUser | null>;
  /** Changes the fields that are not null. The provider cannot change a phone number. */
  updateUser(user: Omit<ProviderUser, 'phone'>): Promise<ProviderUser>;
  startVerification(request: ProviderRequest): Promise<ProviderSession>;
  findVerification(verificationId: string): Promise<ProviderSession | null>;
  createSdkToken(referenceId: string, userId: string): Promise<SdkToken>;
}

/** Purpose of a provider call: a client waits for a mutation, nobody waits for a poll. */
export type CallPurpose = 'MUTATION' | 'POLL';

/** Budget of provider calls, shared by all replicas. */
export interface CallBudget {
  /** Resolves when a call may be made. Throws a `ProviderFailure` if a mutation would have to wait too long. */
  take(purpose: CallPurpose): Promise<void>;
  /** Stops polls, or all calls, for some seconds, because the provider asked for it. */
  pause(seconds: number, whom: 'POLLS' | 'EVERYONE'): Promise<void>;
}

/** Callbacks of a doorbell. */
export interface DoorbellListener {
  /**
   * A session's log may have grown to this sequence. In the process that recorded it, the entry may be passed along.
   */
  onRing(sessionId: string, sequence: number, entry?: FeedEntry): void;
  /** Rings may have been lost: read every log again. */
  onGap(): void;
}

/**
 * Notifies, after commit, that a session's log grew. Notifications may be lost, repeated, reordered or delayed, so
 * receivers compare with the log.
 */
export interface Doorbell {
  /**
   * Pass `entry` if the caller has the feed entry, so that listeners in this process need not read it from the
   * database.
   */
  ring(sessionId: string, sequence: number, entry?: FeedEntry): void;
  /** Returns a function that stops listening. */
  listen(listener: DoorbellListener): () => void;
  stop(): Promise<void>;
}
