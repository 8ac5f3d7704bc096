/** The interfaces that the core needs of the world. Adapters fit the world to them; `app.ts` puts them together. */
import type { FeedEntry } from './session.ts';

/** Tells the time. Tests bring their own. */
export interface Clock {
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };

/** Personal data of a person, as it was given at the start. */
export interface PersonalData {
  readonly phone: string | null;
  readonly name: string | null;
  readonly email: string | null;
  readonly address: string | null;
}

/** A person at the provider. */
export interface ProviderUser extends PersonalData {
  readonly userId: string;
}

/** The provider's answer about one verification. Times are null where the provider gave none. */
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
  /** Fields that could not be understood and count as missing, by the provider's names. */
  readonly ignored?: readonly IgnoredField[];
}

export interface IgnoredField {
  readonly field: string;
  readonly problem: string;
}

/** A token with which the customer's app opens the provider's SDK. */
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

/** What the provider is asked for when a session starts. */
export interface ProviderRequest {
  readonly verificationId: string;
  readonly userId: string;
  readonly userTemplate?: string | undefined;
  readonly agentTemplate?: string | undefined;
  readonly notificationTypes?: readonly string[] | undefined;
  readonly aadhaarDetails?: AadhaarDetails | undefined;
  readonly securityQuestions?: readonly SecurityQuestion[] | undefined;
}

/** The provider's REST API. Every call may throw a `ProviderFailure`; what was not found is null. */
export interface Provider {
  createUser(user: ProviderUser): Promise<ProviderUser>;
  findUser(userId: string): Promise<ProviderUser | null>;
  /** Changes what is not null. The provider has no way to change a phone. */
  updateUser(user: Omit<ProviderUser, 'phone'>): Promise<ProviderUser>;
  startVerification(request: ProviderRequest): Promise<ProviderSession>;
  findVerification(verificationId: string): Promise<ProviderSession | null>;
  createSdkToken(referenceId: string, userId: string): Promise<SdkToken>;
}

/** On whose behalf the provider is called: somebody waits for a mutation, nobody for a poll. */
export type CallPurpose = 'MUTATION' | 'POLL';

/** How many calls the provider takes, for all replicas together. */
export interface CallBudget {
  /** Returns when a call may be made; throws a `ProviderFailure` where a mutation would wait too long for it. */
  take(purpose: CallPurpose): Promise<void>;
  /** The provider asks for silence, of polls alone or of every call. */
  pause(seconds: number, whom: 'POLLS' | 'EVERYONE'): Promise<void>;
}

/** What a doorbell tells its listeners. */
export interface DoorbellListener {
  /** A session's log may now reach to this sequence. In the process that rings the entry may come along. */
  rung(sessionId: string, sequence: number, entry?: FeedEntry): void;
  /** Rings may have been missed: look at everything. */
  missed(): void;
}

/** Says, after commit, that a session's log grew. May lose, repeat, reorder or delay: readers compare with the log. */
export interface Doorbell {
  /** Who has the entry as it stands in the feed hands it on: nobody here needs to read it then. */
  ring(sessionId: string, sequence: number, entry?: FeedEntry): void;
  /** Returns how to stop listening. */
  listen(listener: DoorbellListener): () => void;
  stop(): Promise<void>;
}
