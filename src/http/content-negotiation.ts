import { LRUCache } from 'lru-cache';
import Negotiator from 'negotiator';

/**
 * Media types of GraphQL responses, the default first. The second type, of the GraphQL-over-HTTP
 * specification, is sent only to clients that ask for it.
 */
const TYPES = [
  'application/json; charset=utf-8',
  'application/graphql-response+json; charset=utf-8',
] as const;
export type ResponseMediaType = (typeof TYPES)[number];

/** Cache of the media type for each `Accept` header: a client sends the same header with every request. */
const known = new LRUCache<string, ResponseMediaType | 'NONE'>({ max: 100 });

/** Returns the media type that an `Accept` header prefers; null if it accepts none of `TYPES`. */
export function negotiateMediaType(accept: string | undefined): ResponseMediaType | null {
  if (!accept) return TYPES[0];
  let type = known.get(accept);
  if (!type) {
    type =
      (new Negotiator({ headers: { accept } }).mediaType([...TYPES]) as ResponseMediaType | undefined) ??
      'NONE';
    known.set(accept, type);
  }
  return type === 'NONE' ? null : type;
}
