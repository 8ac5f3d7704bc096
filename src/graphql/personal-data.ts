import { GraphQLError } from 'graphql';
import type { PersonalDataRead } from '../domain/read-chain.ts';

/** The personal data that one answer shows: collected where fields are guarded, and kept before the answer is sent. */
export class PersonalDataShown {
  readonly #operations = new Set<string>();
  readonly #fields = new Set<string>();
  readonly #subjects = new Set<string>();

  /** A root field, such as `Query.sessions`. */
  noteOperation(operation: string): void {
    this.#operations.add(operation);
  }

  /** A field that was shown in full and is not null, and what it belongs to; see `subjectOf`. */
  note(field: string, subject: string): void {
    this.#fields.add(field);
    this.#subjects.add(subject);
  }

  /** What is to be kept of it; null where nothing personal was shown. */
  toRead(): Pick<PersonalDataRead, 'operations' | 'fields' | 'subjects'> | null {
    if (this.#fields.size === 0) return null;
    return {
      operations: [...this.#operations],
      fields: [...this.#fields],
      subjects: [...this.#subjects],
    };
  }
}

/** In the place of an answer whose reading could not be recorded. */
export const unrecorded = (): GraphQLError =>
  new GraphQLError(
    'This shows personal data, and that you read it could not be recorded: so it is not shown. Try again: a mutation may have been done, and repeating it as it was is safe.',
    { extensions: { code: 'SERVICE_UNAVAILABLE', http: { status: 503 } } },
  );
