import { LRUCache } from 'lru-cache';
import Negotiator from 'negotiator';

/**
 * Media types of answers, the preferred one first. JSON is the default; GraphQL over HTTP's own type is for
 * clients that ask for it.
 */
const TYPES = [
  'application/json; charset=utf-8',
  'application/graphql-response+json; charset=utf-8',
] as const;
export type MediaType = (typeof TYPES)[number];

/**
 * Media types by `Accept` header. Clients are of few kinds, and each sends the same header with every
 * request.
 */
const known = new LRUCache<string, MediaType | 'NONE'>({ max: 100 });

/** Returns the media type that an `Accept` header prefers; null if it accepts neither. */
export function negotiateMediaType(accept: string | undefined): MediaType | null {
  if (!accept) return TYPES[0];
  let type = known.get(accept);
  if (!type) {
    type = (new Negotiator({ headers: { accept } }).mediaType([...TYPES]) as MediaType | undefined) ?? 'NONE';
    known.set(accept, type);
  }
  return type === 'NONE' ? null : type;
}
