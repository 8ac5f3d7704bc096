import { GraphQLError } from 'graphql';
import type { PersonalDataRead } from '../domain/read-chain.ts';

/**
 * Personal data that one answer shows: collected by the guards of its fields, and recorded before the answer
 * is sent.
 */
export class PersonalDataShown {
  readonly #operations = new Set<string>();
  readonly #fields = new Set<string>();
  readonly #subjects = new Set<string>();

  /** Notes a root field, such as `Query.sessions`. */
  noteOperation(operation: string): void {
    this.#operations.add(operation);
  }

  /**
   * Notes a field that was shown in full and is not null, and the subject that it belongs to; see
   * `dataSubjectKey`.
   */
  note(field: string, subject: string): void {
    this.#fields.add(field);
    this.#subjects.add(subject);
  }

  /** Returns the read to record; null if no personal data was shown. */
  toRead(): Pick<PersonalDataRead, 'operations' | 'fields' | 'subjects'> | null {
    if (this.#fields.size === 0) return null;
    return {
      operations: [...this.#operations],
      fields: [...this.#fields],
      subjects: [...this.#subjects],
    };
  }
}

/** Error that is sent instead of an answer whose read could not be recorded. */
export const unrecorded = (): GraphQLError =>
  new GraphQLError(
    'The result contains personal data, but the read could not be recorded in the audit log, so the data is withheld. Repeat the request unchanged: a mutation may have taken effect, and repeating it is safe.',
    { extensions: { code: 'SERVICE_UNAVAILABLE', http: { status: 503 } } },
  );
