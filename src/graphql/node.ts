import { GraphQLError } from 'graphql';
import { Field, ID, InterfaceType } from 'type-graphql';

/** Types that a global id can name. */
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

/** Returns the type and key that a global id names; null if the id is not one of this gateway. */
export function fromGlobalId(id: string): { type: NodeType; key: string } | null {
  const [, type, key] =
    Buffer.from(id, 'base64url')
      .toString('utf8')
      .match(/^(\w+):(.+)$/) ?? [];
  if (!type || !key || !(type in KEYS) || !KEYS[type as NodeType].test(key)) return null;
  return { type: type as NodeType, key };
}

/**
 * Returns the key of a session's global id in an input. For any other id the key is empty, and the services
 * refuse it with its path.
 */
export function decodeSessionId(id: string): string {
  const named = fromGlobalId(id);
  return named?.type === 'VkycSession' ? named.key : '';
}

/**
 * Returns the key of a global id of one type.
 * @throws GraphQLError that names the expected type
 */
export function decodeId(type: NodeType, id: string): string {
  const named = fromGlobalId(id);
  if (named?.type === type) return named.key;
  const what = named ? `This is the id of a ${named.type}` : 'The id was not issued by this gateway';
  throw new GraphQLError(`${what}: pass the \`id\` of a ${type}.`, {
    extensions: { code: 'BAD_USER_INPUT' },
  });
}

export const ID_DESCRIPTION = 'Globally unique, opaque id. Use it as the cache key.';

@InterfaceType({
  description: 'Object with a global id, which `node` and `nodes` can fetch.',
  resolveType: (value: { __typename?: string }) => value.__typename,
})
export abstract class Node {
  @Field(() => ID, { description: ID_DESCRIPTION })
  id: string;
}
