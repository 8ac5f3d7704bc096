import { closeSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { SandboxUser } from './user.ts';
import type { VerificationStart } from './verification.ts';

/**
 * Request from outside, or delivery of a webhook, that changed the sandbox. The whole state of the sandbox
 * follows from these entries and the clock.
 */
export type JournalEntry =
  | { readonly kind: 'USER_CREATED'; readonly user: SandboxUser }
  | { readonly kind: 'USER_UPDATED'; readonly user_id: string; readonly changes: Partial<SandboxUser> }
  | { readonly kind: 'STARTED'; readonly start: VerificationStart }
  | {
      readonly kind: 'ADVANCED';
      readonly verification_id: string;
      readonly steps: number;
      readonly at: string;
    }
  /**
   * The webhook of this step was accepted, given up or dropped, so it needs no more attempts. The webhook is
   * not sent again after a restart.
   */
  | { readonly kind: 'SETTLED'; readonly verification_id: string; readonly position: number };

/** Journal from which the sandbox restores its state after a restart. */
export interface Journal {
  /** Entries that were written before the sandbox was started. */
  readonly entries: readonly JournalEntry[];
  append(entry: JournalEntry): void;
  close(): void;
}

/** Journal that stores nothing, for a sandbox without a journal file. */
const FORGETFUL: Journal = { entries: [], append() {}, close() {} };

/**
 * Opens the journal, which has one JSON line for each entry. Without a file nothing is stored. A last line
 * that a crash cut off is dropped; any other damaged line stops the start with an error that names the line.
 */
export function openJournal(file: string | null): Journal {
  if (!file) return FORGETFUL;
  mkdirSync(dirname(file), { recursive: true });
  const handle = openSync(file, 'a+', 0o600);
  const bytes = readFileSync(handle);
  const whole = bytes.subarray(0, bytes.lastIndexOf('\n') + 1);
  ftruncateSync(handle, whole.length);
  const lines = whole.toString('utf8').split('\n').slice(0, -1);
  const entries = lines.map((line, index) => parseEntry(line, `${file}:${index + 1}`));
  return {
    entries,
    // Writes synchronously, so that a change which the sandbox has confirmed to a client survives a kill of
    // the process.
    append: (entry) => void writeSync(handle, `${JSON.stringify(entry)}\n`),
    close: () => closeSync(handle),
  };
}

function parseEntry(line: string, where: string): JournalEntry {
  try {
    return JSON.parse(line) as JournalEntry;
  } catch {
    throw new Error(
      `The sandbox's journal is damaged at ${where}. Delete the file to start with an empty journal.`,
    );
  }
}
