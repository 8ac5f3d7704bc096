/**
 * Projects the schema to a subgraph of GraphQL Federation 2: renames types with generic names, and leaves out
 * what another subgraph of a supergraph may define (`node`, `nodes`, `viewer`).
 */
import {
  type GraphQLAbstractType,
  GraphQLEnumType,
  type GraphQLEnumTypeConfig,
  type GraphQLFieldConfigMap,
  GraphQLInputObjectType,
  GraphQLInterfaceType,
  GraphQLList,
  type GraphQLNamedType,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLSchema,
  type GraphQLType,
  type GraphQLTypeResolver,
  GraphQLUnionType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  isScalarType,
  isUnionType,
} from 'graphql';
import { invariant } from '../domain/invariant.ts';
import type { Context } from './context.ts';
import { withOwnTypeName } from './type-names.ts';

/** Type that other Relay-style subgraphs define with the same fields (`@shareable`). */
export const SHARED_TYPE = 'PageInfo';
const ROOT_TYPES = ['Query', 'Mutation', 'Subscription'];
/** Root fields of Relay and of the person who is signed in. Every subgraph of a supergraph may have its own. */
const ROOT_FIELDS_LEFT_OUT = ['node', 'nodes', 'viewer'];
/** Interface that only `node` and `nodes` return. */
const INTERFACE_LEFT_OUT = 'Node';

/**
 * Returns the schema of the subgraph, with the resolvers of the given schema. The names of its types begin with
 * `prefix`, except those of scalars, root types and `PageInfo`.
 */
export function projectToSubgraph(schema: GraphQLSchema, prefix: string): GraphQLSchema {
  const rename = (name: string): string =>
    name === SHARED_TYPE || name.startsWith(prefix) ? name : `${prefix}${name}`;
  const renamed = new Map<string, GraphQLNamedType>();

  function rebuild(type: GraphQLNamedType): GraphQLNamedType {
    if (isScalarType(type)) return type;
    const known = renamed.get(type.name);
    if (known) return known;
    const built = rebuildOnce(type);
    renamed.set(type.name, built);
    return built;
  }

  /** Returns the same type with renamed types inside: lists and non-null types are wrapped again. */
  function convert<Type extends GraphQLType>(type: Type): Type {
    if (isListType(type)) return new GraphQLList(convert(type.ofType)) as unknown as Type;
    if (isNonNullType(type)) return new GraphQLNonNull(convert(type.ofType)) as unknown as Type;
    return rebuild(type as GraphQLNamedType) as unknown as Type;
  }

  const fieldsOf = (
    type: GraphQLObjectType | GraphQLInterfaceType,
  ): GraphQLFieldConfigMap<unknown, Context> =>
    Object.fromEntries(
      Object.entries(type.toConfig().fields)
        .filter(([name]) => type.name !== 'Query' || !ROOT_FIELDS_LEFT_OUT.includes(name))
        .map(([name, { args = {}, ...field }]) => [
          name,
          {
            ...field,
            type: convert(field.type),
            args: Object.fromEntries(
              Object.entries(args).map(([key, argument]) => [
                key,
                { ...argument, type: convert(argument.type) },
              ]),
            ),
          },
        ]),
    );
  const interfacesOf = (type: GraphQLObjectType | GraphQLInterfaceType): GraphQLInterfaceType[] =>
    type
      .getInterfaces()
      .filter(({ name }) => name !== INTERFACE_LEFT_OUT)
      .map(convert);

  /** Makes the type resolver of an interface or union return the renamed type. */
  const typeResolverOf = ({ resolveType }: GraphQLAbstractType): GraphQLTypeResolver<unknown, Context> => {
    return (value, context, info, abstractType) => {
      const name = resolveType?.(value, context, info, abstractType);
      return typeof name === 'string' ? rename(name) : name?.then((each) => each && rename(each));
    };
  };

  function rebuildOnce(type: GraphQLNamedType): GraphQLNamedType {
    const isRoot = ROOT_TYPES.includes(type.name);
    const names = isRoot ? {} : { name: rename(type.name), extensions: withOwnTypeName(type) };
    // The AST nodes of the original type would name the original types.
    const common = { ...names, astNode: null, extensionASTNodes: [] };
    if (isObjectType(type))
      return new GraphQLObjectType({
        ...{ ...type.toConfig(), ...common },
        fields: () => fieldsOf(type),
        interfaces: () => interfacesOf(type),
      });
    if (isInterfaceType(type))
      return new GraphQLInterfaceType({
        ...{ ...type.toConfig(), ...common },
        fields: () => fieldsOf(type),
        interfaces: () => interfacesOf(type),
        resolveType: typeResolverOf(type),
      });
    if (isUnionType(type))
      return new GraphQLUnionType({
        ...{ ...type.toConfig(), ...common },
        types: () => type.getTypes().map(convert),
        resolveType: typeResolverOf(type),
      });
    if (isEnumType(type)) return rebuildEnum(type, { ...type.toConfig(), ...common });
    invariant(isInputObjectType(type), `the kind of the type ${type.name} is unknown`);
    return new GraphQLInputObjectType({
      ...{ ...type.toConfig(), ...common },
      fields: () =>
        Object.fromEntries(
          Object.entries(type.toConfig().fields).map(([name, field]) => [
            name,
            { ...field, type: convert(field.type) },
          ]),
        ),
    });
  }

  const rootOf = (type: GraphQLObjectType | null | undefined) => type && convert(type);
  return new GraphQLSchema({
    query: rootOf(schema.getQueryType()),
    mutation: rootOf(schema.getMutationType()),
    subscription: rootOf(schema.getSubscriptionType()),
    directives: schema.getDirectives(),
    description: schema.description,
    // The object types of interfaces can be reached from the unions of the mutations.
    types: [],
  });
}

function rebuildEnum(type: GraphQLEnumType, config: GraphQLEnumTypeConfig): GraphQLEnumType {
  const built = new GraphQLEnumType(config);
  // Keeps a replaced serializer: the one of the status enums turns values of later releases into UNRECOGNIZED.
  if (Object.hasOwn(type, 'serialize')) built.serialize = type.serialize;
  return built;
}
