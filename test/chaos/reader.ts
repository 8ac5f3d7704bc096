/** Client that queries sessions during the faults, and checks the answers for contradictions. */
import { toGlobalId } from '../../src/graphql/node.ts';

export interface Reader {
  /** Sends an operation. Resolves with the data of the answer; null if there was no answer or an error. */
  ask(query: string, variables: object): Promise<any>;
  /** Queries a session by its database id, and checks the answer. Resolves with false if there was no answer. */
  look(id: string): Promise<boolean>;
}

interface Session {
  readonly version: number;
  readonly status: string;
  readonly subStatus: string;
}

const LOOK = 'query ($id: ID!) { session(id: $id) { version status subStatus } }';

/** Codes of errors that tell the client to repeat the request: something that it needs is away, or too slow just now. */
const TRANSIENT = ['INTERNAL_SERVER_ERROR', 'SERVICE_UNAVAILABLE', 'TIMEOUT'];

/** Creates a client that counts unanswered queries, and adds contradictory answers to `wrong`. */
export function createReader(url: string, count: { unanswered: number }, wrong: string[]): Reader {
  const newest = new Map<string, Session>();

  const ask = async (query: string, variables: object): Promise<any> => {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
    }).catch(() => null);
    const { data, errors } = ((await response?.json().catch(() => null)) ?? {}) as any;
    const codes = errors?.map((error: any) => error.extensions.code) ?? [];
    if (codes.some((code: string) => !TRANSIENT.includes(code))) wrong.push(`was refused with ${codes}`);
    if (data && !errors) return data;
    count.unanswered += 1;
    return null;
  };

  return {
    ask,
    async look(id) {
      const before = newest.get(id);
      const session: Session | undefined = (await ask(LOOK, { id: toGlobalId('VkycSession', id) }))?.session;
      if (!session) return false;
      if (before && session.version < before.version) wrong.push(`${id}: the version decreased`);
      if (before?.version === session.version && before.subStatus !== session.subStatus)
        wrong.push(`${id}: two different states at version ${session.version}`);
      if (session.version >= (newest.get(id)?.version ?? 0)) newest.set(id, session);
      return true;
    },
  };
}
