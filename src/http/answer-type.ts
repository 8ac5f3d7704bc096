import { LRUCache } from 'lru-cache';
import Negotiator from 'negotiator';

/** GraphQL over HTTP's own type is for those who ask for it; JSON for those who ask for it, or do not say. */
const TYPES = [
  'application/json; charset=utf-8',
  'application/graphql-response+json; charset=utf-8',
] as const;
export type AnswerType = (typeof TYPES)[number];

/** Clients are of few kinds, each of which says the same in every request. */
const known = new LRUCache<string, AnswerType | 'NONE'>({ max: 100 });

/** The type of which an `Accept` header thinks best; null where it accepts neither. */
export function answerTypeFor(accept: string | undefined): AnswerType | null {
  if (!accept) return TYPES[0];
  let type = known.get(accept);
  if (!type) {
    type =
      (new Negotiator({ headers: { accept } }).mediaType([...TYPES]) as AnswerType | undefined) ?? 'NONE';
    known.set(accept, type);
  }
  return type === 'NONE' ? null : type;
}
