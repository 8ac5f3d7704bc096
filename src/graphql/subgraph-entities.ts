/**
 * Fields that GraphQL routers call on a subgraph: `_service`, which returns the SDL, and `_entities`, which returns
 * the objects that other subgraphs refer to.
 */
import {
  type GraphQLFieldConfigMap,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLScalarType,
  GraphQLSchema,
  GraphQLString,
  GraphQLUnionType,
  isObjectType,
} from 'graphql';
import { hasAnyRole, OPERATION_ROLES } from '../domain/access.ts';
import { NODE_TYPES, type NodeType } from '../domain/global-id.ts';
import { invariant } from '../domain/invariant.ts';
import { isStorableText } from '../domain/storable.ts';
import { forbidden } from './access-rules.ts';
import { createBadInputError } from './connection.ts';
import type { Context } from './context.ts';
import { parseGlobalId } from './node.ts';
import { type Found, findNode, MAX_IDS, visibleSession, visibleUser } from './node-query.ts';
import { getOwnTypeName } from './type-names.ts';

type KeyFinder = (key: string, context: Context) => Promise<object | null>;

/** Keys of entities besides `id`, which other subgraphs may have instead of it. */
const OTHER_KEYS: Partial<Record<NodeType, Readonly<Record<string, KeyFinder>>>> = {
  VkycSession: {
    verificationId: async (key, context) =>
      visibleSession(await context.loaders.sessionByVerificationId.load(key), context),
  },
  VkycUser: {
    userId: async (key, context) =>
      visibleUser(await context.loaders.userByProviderUserId.load(key), context),
  },
};

/**
 * Returns the keys of an entity, each the name of a field, given the name of its type in the gateway's own schema.
 * An empty list: the type is no entity.
 */
export const getEntityKeys = (type: string): readonly string[] =>
  isEntity(type) ? ['id', ...Object.keys(OTHER_KEYS[type] ?? {})] : [];

const isEntity = (type: string): type is NodeType => (NODE_TYPES as readonly string[]).includes(type);

/**
 * Returns the subgraph with the fields `_service` and `_entities`.
 *
 * @param sdl what `_service { sdl }` returns
 */
export function withEntities(subgraph: GraphQLSchema, sdl: string): GraphQLSchema {
  const config = subgraph.toConfig();
  const query = subgraph.getQueryType()?.toConfig();
  invariant(query, 'the subgraph has no type Query');
  const entities = Object.values(subgraph.getTypeMap())
    .filter(isObjectType)
    .filter((type) => isEntity(getOwnTypeName(type)));
  const fields = { ...query.fields, ...buildRouterFields(entities, sdl) };
  // `types` is left out, because it has the type Query without the new fields.
  return new GraphQLSchema({ ...config, query: new GraphQLObjectType({ ...query, fields }), types: [] });
}

function buildRouterFields(
  entities: readonly GraphQLObjectType[],
  sdl: string,
): GraphQLFieldConfigMap<unknown, Context> {
  const types = new Map(entities.map((type) => [type.name, getOwnTypeName(type) as NodeType]));
  const names = new Map(entities.map((type) => [getOwnTypeName(type), type.name]));
  const Entity = new GraphQLUnionType({
    name: '_Entity',
    description: 'Any type with a key, which other subgraphs can refer to.',
    types: entities,
    resolveType: (value) => names.get((value as Found).__typename),
  });
  const Service = new GraphQLObjectType({
    name: '_Service',
    description: 'This subgraph, for the composition of a supergraph.',
    fields: {
      sdl: {
        type: new GraphQLNonNull(GraphQLString),
        description: 'The schema of the subgraph with the directives of GraphQL Federation 2.',
      },
    },
  });
  return {
    _service: {
      type: new GraphQLNonNull(Service),
      description: 'Describes this subgraph. For GraphQL routers and composition tools.',
      resolve: (_source, _args, context) => {
        refuseUnlessAllowed('_service', context);
        return { sdl };
      },
    },
    _entities: {
      type: new GraphQLNonNull(new GraphQLList(Entity)),
      description: `Up to ${MAX_IDS} objects by their keys, in the order given. For GraphQL routers.`,
      args: {
        representations: {
          type: new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(ANY))),
          description:
            'Keys of the objects, each with `__typename`. The result has null for each object that does not exist or that you may not see.',
        },
      },
      resolve: (_source, { representations }, context) => {
        refuseUnlessAllowed('_entities', context);
        if (representations.length > MAX_IDS)
          throw createBadInputError(
            `Pass at most ${MAX_IDS} representations, not ${representations.length}.`,
          );
        context.shown?.noteOperation('Query._entities');
        const keys = (representations as unknown[]).map((each, index) =>
          readRepresentation(each, `representations[${index}]`, types),
        );
        return Promise.all(keys.map((key) => findEntity(key, context)));
      },
    },
  };
}

/** Roles that may call the fields of routers: those that may query objects by their global ids. */
const ALLOWED = OPERATION_ROLES['Query.nodes'];

/**
 * Enforces the roles. The access tables do not guard these fields, because they are only in the subgraph.
 *
 * @throws GraphQLError (FORBIDDEN)
 */
function refuseUnlessAllowed(field: string, { viewer }: Context): void {
  if (!hasAnyRole(viewer, ALLOWED)) throw forbidden(field, ALLOWED);
}

/** Scalar of the federation specification: a JSON object with `__typename` and the fields of one key. */
const ANY = new GraphQLScalarType({
  name: '_Any',
  description: 'The key of an object as JSON: `__typename` and the fields of one `@key` of the type.',
});

/** Key of one object: the name of its type in the gateway's own schema, the field of the key, and its value. */
interface EntityKey {
  readonly type: NodeType;
  readonly field: string;
  readonly value: string;
}

/**
 * Reads the key in a representation. `id` takes precedence over the other keys.
 *
 * @throws GraphQLError (BAD_USER_INPUT) that names the path, if the type is unknown or the key is missing
 */
function readRepresentation(given: unknown, path: string, types: ReadonlyMap<string, NodeType>): EntityKey {
  const fields = typeof given === 'object' && given !== null ? (given as Record<string, unknown>) : {};
  const type = typeof fields.__typename === 'string' ? types.get(fields.__typename) : undefined;
  if (!type)
    throw createBadInputError(
      `${path}.__typename is not a type with a key: pass ${[...types.keys()].join(', ')}.`,
    );
  for (const field of getEntityKeys(type)) {
    const value = Object.hasOwn(fields, field) ? fields[field] : undefined;
    if (typeof value === 'string') return { type, field, value };
  }
  throw createBadInputError(`${path} has no key: pass ${getEntityKeys(type).join(' or ')} as a string.`);
}

async function findEntity({ type, field, value }: EntityKey, context: Context): Promise<Found | null> {
  const find = OTHER_KEYS[type]?.[field];
  if (find) {
    if (!isStorableText(value)) return null;
    const row = await find(value, context);
    return row && { ...row, __typename: type };
  }
  return parseGlobalId(value)?.type === type ? findNode(value, context) : null;
}
