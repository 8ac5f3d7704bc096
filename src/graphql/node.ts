import { GraphQLError } from 'graphql';
import { Field, ID, InterfaceType } from 'type-graphql';

/** The types that a global id can name. */
export type NodeType = 'VkycSession' | 'VkycUser' | 'StatusTransition' | 'Meeting' | 'Review';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const KEYS: Record<NodeType, RegExp> = {
  VkycSession: UUID,
  VkycUser: UUID,
  Meeting: UUID,
  Review: UUID,
  StatusTransition: /^[0-9a-f-]{36}:[1-9]\d{0,8}$/,
};

export const toGlobalId = (type: NodeType, key: string): string =>
  Buffer.from(`${type}:${key}`).toString('base64url');

/** What an id names; null where it is none of ours. */
export function fromGlobalId(id: string): { type: NodeType; key: string } | null {
  const [, type, key] =
    Buffer.from(id, 'base64url')
      .toString('utf8')
      .match(/^(\w+):(.+)$/) ?? [];
  if (!type || !key || !(type in KEYS) || !KEYS[type as NodeType].test(key)) return null;
  return { type: type as NodeType, key };
}

/** The key behind a session's id in an input; for any other id, what the services refuse with its path. */
export function sessionKeyOf(id: string): string {
  const named = fromGlobalId(id);
  return named?.type === 'VkycSession' ? named.key : '';
}

/** The key behind an id of one type. Throws what tells the caller which kind of id is expected. */
export function keyOf(type: NodeType, id: string): string {
  const named = fromGlobalId(id);
  if (named?.type === type) return named.key;
  const what = named ? `This is the id of a ${named.type}` : 'This is not an id of this gateway';
  throw new GraphQLError(`${what}; give the \`id\` of a ${type}.`, {
    extensions: { code: 'BAD_USER_INPUT' },
  });
}

export const ID_DESCRIPTION = 'Globally unique and opaque: a key for caches.';

@InterfaceType({
  description: 'Anything with an id of its own.',
  resolveType: (value: { __typename?: string }) => value.__typename,
})
export abstract class Node {
  @Field(() => ID, { description: ID_DESCRIPTION })
  id: string;
}
