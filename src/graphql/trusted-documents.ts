import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { GraphQLError } from 'graphql';
import type { Payload } from './operation.ts';

/** The documents that may be executed, by the SHA-256 of their text in hex. */
export type Manifest = Readonly<Record<string, string>>;

/**
 * A manifest as client tools write it: by hash, as graphql-codegen does (`sha256:` may stand before it), or Apollo's list
 * of operations, so that clients' own files can take the place of ours.
 */
export function manifestFrom(stored: Readonly<Record<string, unknown>>): Manifest {
  const documents = Array.isArray(stored.operations)
    ? stored.operations.map(({ id, body }: { id: string; body: string }) => [id, body] as const)
    : Object.entries(stored as Manifest);
  return Object.fromEntries(documents.map(([name, text]) => [withoutPrefix(name), text]));
}

/** The manifest that is published with the schema. */
export const readManifest = async (): Promise<Manifest> =>
  manifestFrom(
    JSON.parse(await readFile(new URL('../../schema/trusted-documents.json', import.meta.url), 'utf8')),
  );

/** What a payload means where only the manifest's documents are accepted; throws where it is none of them. */
export type Trust = (payload: Payload) => Payload;

/**
 * A document is named by `documentId` (`sha256:` may stand before it), by `extensions.persistedQuery.sha256Hash`, or
 * by being sent as the manifest has it. graphql-ws wants a `query` in any case: an empty one will do beside a name.
 */
export const onlyOf =
  (manifest: Manifest): Trust =>
  ({ documentId, extensions, ...payload }) => {
    const { persistedQuery, ...others } = asObject(extensions);
    const name = documentId ?? asObject(persistedQuery).sha256Hash ?? hashOf(payload.query);
    const hash = typeof name === 'string' ? withoutPrefix(name) : '';
    const document = Object.hasOwn(manifest, hash) ? manifest[hash] : undefined;
    // A name beside another text is a mistake at best.
    if (document === undefined || (payload.query && payload.query !== document)) throw untrusted();
    return { ...payload, extensions: others, query: document };
  };

const withoutPrefix = (name: string): string => name.replace(/^sha256:/, '');

const hashOf = (query: unknown): string =>
  typeof query === 'string' ? createHash('sha256').update(query).digest('hex') : '';

const asObject = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

const untrusted = (): GraphQLError =>
  new GraphQLError(
    'Only documents of the manifest are served here: name one by `documentId`, or have yours added to schema/trusted-documents.json.',
    { extensions: { code: 'UNTRUSTED_DOCUMENT', http: { status: 400 } } },
  );
