import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { GraphQLError } from 'graphql';
import type { RequestPayload } from './payload.ts';

/** Documents that may be executed, keyed by the SHA-256 of their text in hex. */
export type DocumentManifest = Readonly<Record<string, string>>;

/**
 * Reads a manifest in each form that client tools write: documents by hash, as graphql-codegen writes them
 * (with or without the prefix `sha256:`), or Apollo's list of operations. An operator can thus use a client's
 * manifest instead of the published one.
 */
export function parseDocumentManifest(stored: Readonly<Record<string, unknown>>): DocumentManifest {
  const documents = Array.isArray(stored.operations)
    ? stored.operations.map(({ id, body }: { id: string; body: string }) => [id, body] as const)
    : Object.entries(stored as DocumentManifest);
  return Object.fromEntries(documents.map(([name, text]) => [withoutPrefix(name), text]));
}

/** Reads the manifest that is published next to the schema: the operations of the client kit. */
export const readPublishedManifest = async (): Promise<DocumentManifest> =>
  parseDocumentManifest(
    JSON.parse(await readFile(new URL('../../schema/trusted-documents.json', import.meta.url), 'utf8')),
  );

/**
 * Decides whether a payload may be executed, and returns it with its document filled in.
 * @throws GraphQLError if the payload names no document that is accepted
 */
export type DocumentPolicy = (payload: RequestPayload) => RequestPayload;

/**
 * Accepts only documents of the manifest. A payload names its document by `documentId` (with or without the
 * prefix `sha256:`), by `extensions.persistedQuery.sha256Hash`, or by its full text. graphql-ws requires a
 * `query`, which may be empty if the payload has a hash.
 */
export const createTrustedDocumentPolicy =
  (manifest: DocumentManifest): DocumentPolicy =>
  ({ documentId, extensions, ...payload }) => {
    const { persistedQuery, ...others } = asObject(extensions);
    const name = documentId ?? asObject(persistedQuery).sha256Hash ?? hashDocument(payload.query);
    const hash = typeof name === 'string' ? withoutPrefix(name) : '';
    const document = Object.hasOwn(manifest, hash) ? manifest[hash] : undefined;
    // Refuses a payload with a hash and the text of another document, because it is at best a mistake.
    if (document === undefined || (payload.query && payload.query !== document)) throw untrusted();
    return { ...payload, extensions: others, query: document };
  };

const withoutPrefix = (name: string): string => name.replace(/^sha256:/, '');

const hashDocument = (query: unknown): string =>
  typeof query === 'string' ? createHash('sha256').update(query).digest('hex') : '';

const asObject = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

const untrusted = (): GraphQLError =>
  new GraphQLError(
    'Only trusted documents are served: pass the `documentId` of one, or have your document added to schema/trusted-documents.json.',
    { extensions: { code: 'UNTRUSTED_DOCUMENT', http: { status: 400 } } },
  );
