/** Builds audit chains without a database. */
import { type AuditEntry, type AuditEntryKind, AuditKeyring } from '../../src/domain/audit.ts';

export const SESSION_ID = '01a22456-a541-7163-90ac-0b033647a4f4';
export const keys = new AuditKeyring([
  { id: 'new', key: Buffer.alloc(32, 2) },
  { id: 'old', key: Buffer.alloc(32, 1) },
]);
/** Returns the recording time of the entry with this number: one second after that of the entry before. */
export const recordedAt = (number: number) => new Date(Date.UTC(2026, 0, 5, 10, 0, number));

/**
 * Makes the audit entry after `previous` (null: the first entry), signed with the current key or
 * `changes.keyId`.
 */
export function makeEntry(
  previous: AuditEntry | null,
  kind: AuditEntryKind,
  content: object,
  changes: Partial<AuditEntry> = {},
): AuditEntry {
  const number = (previous?.number ?? 0) + 1;
  const entry = {
    sessionId: SESSION_ID,
    number,
    kind,
    content: JSON.stringify(content),
    keyId: keys.currentId,
    recordedAt: recordedAt(number),
    ...changes,
  };
  return { ...entry, hash: keys.hash(entry, previous?.hash ?? null) };
}

/** Makes a chain with one entry for each pair of kind and content. */
export function makeChain(
  ...contents: readonly (readonly [kind: AuditEntryKind, content: object])[]
): AuditEntry[] {
  const chain: AuditEntry[] = [];
  for (const [kind, content] of contents) chain.push(makeEntry(chain.at(-1) ?? null, kind, content));
  return chain;
}
