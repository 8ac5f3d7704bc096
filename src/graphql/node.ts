import { GraphQLError } from 'graphql';
import { Field, ID, InterfaceType } from 'type-graphql';
import { type NodeType, toGlobalId } from '../domain/global-id.ts';

export { type NodeType, toGlobalId };

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const KEYS: Record<NodeType, RegExp> = {
  VkycSession: UUID,
  VkycUser: UUID,
  Meeting: UUID,
  Review: UUID,
  Note: UUID,
  Closure: UUID,
  Escalation: UUID,
  DisputeResolution: UUID,
  Assignment: UUID,
  CustomerNotification: UUID,
  StatusTransition: /^[0-9a-f-]{36}:[1-9]\d{0,8}$/,
};

/**
 * Returns the type and the key that are encoded in a global id; null if the gateway did not encode the id.
 */
export function parseGlobalId(id: string): { type: NodeType; key: string } | null {
  const [, type, key] =
    Buffer.from(id, 'base64url')
      .toString('utf8')
      .match(/^(\w+):(.+)$/) ?? [];
  // `in` would also find the members that every object inherits, such as `toString`.
  if (!type || !key || !Object.hasOwn(KEYS, type) || !KEYS[type as NodeType].test(key)) return null;
  return { type: type as NodeType, key };
}

/**
 * Returns the UUID in the global id of a session that was passed in an input. For an id of another type it
 * returns an empty string, which the services refuse with the path of the input field.
 */
export function decodeSessionIdOrEmpty(id: string): string {
  const named = parseGlobalId(id);
  return named?.type === 'VkycSession' ? named.key : '';
}

/**
 * Returns the key in a global id of the given type.
 * @throws GraphQLError that names the expected type
 */
export function decodeIdOfType(type: NodeType, id: string): string {
  const named = parseGlobalId(id);
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
