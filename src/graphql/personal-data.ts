import { type DocumentNode, GraphQLError, getOperationAST, Kind } from 'graphql';
import type { PersonalDataRead } from '../domain/read-chain.ts';
import { findSelectedFields } from './selection.ts';

/**
 * Personal data that one answer shows. The wrapped resolvers of `access-rules.ts` collect it during
 * execution; it is written to the read log (who read whose data) before the answer is sent.
 */
export class PersonalDataShown {
  readonly #operations = new Set<string>();
  readonly #fields = new Set<string>();
  readonly #subjects = new Set<string>();

  /**
   * Notes a root field of the operation, such as `Query.sessions`; the read log names the root fields of each
   * read.
   */
  noteOperation(operation: string): void {
    this.#operations.add(operation);
  }

  /**
   * Notes a field whose value is shown unmasked, and the key of the user or session that the value is about
   * (see `formatPersonalDataRowKey`). Null values are not noted.
   */
  note(field: string, subject: string): void {
    this.#fields.add(field);
    this.#subjects.add(subject);
  }

  /** Returns the entry for the read log; null if the answer shows no personal data. */
  toRead(): Pick<PersonalDataRead, 'operations' | 'fields' | 'subjects'> | null {
    if (this.#fields.size === 0) return null;
    return {
      operations: [...this.#operations],
      fields: [...this.#fields],
      subjects: [...this.#subjects],
    };
  }
}

/**
 * Error that the client gets instead of an answer, if the read of the answer's personal data could not be
 * recorded.
 */
export const createReadNotRecordedError = (): GraphQLError =>
  new GraphQLError(
    'The result contains personal data, but the read could not be recorded in the audit log, so the data is withheld. Repeat the request unchanged: a mutation may have taken effect, and repeating it is safe.',
    { extensions: { code: 'SERVICE_UNAVAILABLE', http: { status: 503 } } },
  );

/** Root fields of queries that have personal data in their arguments. */
const WITH_PERSONAL_ARGUMENTS = ['users'];

/**
 * Returns the error for an operation sent by GET whose arguments are personal data: a URL ends up in the logs of
 * proxies and in histories of browsers. Null for any other operation.
 */
export function findPersonalArgumentsInGetError(
  document: DocumentNode,
  operationName: string | null | undefined,
): GraphQLError | null {
  const operation = getOperationAST(document, operationName);
  const fragments = Object.fromEntries(
    document.definitions.flatMap((each) =>
      each.kind === Kind.FRAGMENT_DEFINITION ? [[each.name.value, each]] : [],
    ),
  );
  const selected = operation && findSelectedFields(operation, fragments);
  const field = WITH_PERSONAL_ARGUMENTS.find((name) => selected?.has(name));
  if (field === undefined) return null;
  return new GraphQLError(
    `\`${field}\` is not served by GET, because its arguments are personal data, and URLs are logged: send it by POST.`,
    { extensions: { code: 'BAD_REQUEST', http: { status: 405, headers: new Map([['allow', 'POST']]) } } },
  );
}
