/** Generates queries from the schema, so that tests cover new fields automatically. */
import {
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLObjectType,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isUnionType,
} from 'graphql';
import { OPERATION_ROLES, ROLES } from '../../src/domain/access.ts';
import { getSchema } from '../../src/graphql/schema.ts';
import { inMinutes } from './people.ts';

export const schema = getSchema();
type Field = GraphQLField<unknown, unknown>;
type Named = ReturnType<typeof getNamedType>;

export const fieldsOf = (type: GraphQLObjectType): Field[] => Object.values(type.getFields());

/**
 * Values for arguments and input fields, by name. Arguments and fields that are not listed get a generated value of
 * their type.
 */
export type Given = Readonly<Record<string, unknown>>;

/** Returns a valid value of an input type. */
export function fitting(name: string, type: GraphQLInputType, given: Given): unknown {
  if (isNonNullType(type)) return fitting(name, type.ofType, given);
  if (name in given) return given[name];
  if (isListType(type)) return [fitting(name, type.ofType, given)];
  if (isEnumType(type)) return type.getValues()[0]?.name;
  if (isInputObjectType(type))
    return Object.fromEntries(
      Object.values(type.getFields()).map((field) => [field.name, fitting(field.name, field.type, given)]),
    );
  const fits: Record<string, unknown> = { Int: 1, Float: 1, Boolean: false, DateTime: inMinutes(30) };
  return fits[getNamedType(type).name] ?? `${name}-text`;
}

/**
 * Returns a field as GraphQL text with its required arguments, the arguments in `wanted`, and `first` if the field has
 * it (unless `wanted` has `last`).
 */
export function call(field: Field, given: Given, wanted: readonly string[] = []): string {
  const named = field.args.filter(
    ({ name, type }) =>
      isNonNullType(type) || wanted.includes(name) || (name === 'first' && !wanted.includes('last')),
  );
  const written = named.map(
    ({ name, type }) => `${name}: ${literal(fitting(name, type, given), getNamedType(type))}`,
  );
  return written.length > 0 ? `${field.name}(${written.join(', ')})` : field.name;
}

/** Prints a value as a GraphQL literal. */
export function literal(value: unknown, type: Named): string {
  if (Array.isArray(value)) return `[${value.map((each) => literal(each, type)).join(', ')}]`;
  if (isEnumType(type)) return String(value);
  if (isInputObjectType(type) && value !== null) {
    const fields = Object.entries(value as object).filter(([, each]) => each !== undefined);
    const typeOf = (name: string) => getNamedType(type.getFields()[name]?.type as GraphQLInputType);
    return `{ ${fields.map(([name, each]) => `${name}: ${literal(each, typeOf(name))}`).join(', ')} }`;
  }
  return JSON.stringify(value);
}

/** Selects all fields of a type to a given depth, and `__typename` for each object. */
export function everythingOf(
  type: Named,
  levels: number,
  given: Given,
  leaveOut: (type: string, field: string) => boolean = () => false,
): string {
  if (isLeafType(type)) return '';
  // Selects only the interface's own fields. Fields of its members may share a name but not a type, and then
  // cannot be merged.
  if (isInterfaceType(type)) return `{ __typename ${Object.keys(type.getFields()).join(' ')} }`;
  if (isUnionType(type)) {
    const members = schema.getPossibleTypes(type);
    const dependencies = members.map(
      (member) => `... on ${member.name} ${everythingOf(member, levels, given, leaveOut)}`,
    );
    return `{ __typename ${dependencies.join(' ')} }`;
  }
  if (!isObjectType(type) || levels === 0) return '{ __typename }';
  const fields = fieldsOf(type)
    .filter((field) => !leaveOut(type.name, field.name))
    .map(
      (field) =>
        `${call(field, given)} ${everythingOf(getNamedType(field.type), levels - 1, given, leaveOut)}`,
    );
  return `{ __typename ${fields.join(' ')} }`;
}

/** Path to an object of some type: the query text before and after the selection of that object. */
export interface Route {
  readonly before: string;
  readonly behind: string;
}

const ALL_ROLES = Object.keys(ROLES);

/** Whether every role may use a root field, by its coordinate; true also for fields that are not root fields. */
function isForAll(coordinate: string): boolean {
  const roles: readonly string[] = OPERATION_ROLES[coordinate as keyof typeof OPERATION_ROLES] ?? ALL_ROLES;
  return roles.length === ALL_ROLES.length;
}

/** Returns the shortest path from a type to itself and to each type that can be reached by its fields. */
export function routesFrom(start: GraphQLObjectType, begin: Route, given: Given): Map<string, Route> {
  const routes = new Map<string, Route>([[start.name, begin]]);
  const waiting = [start];
  for (let owner = waiting.shift(); owner; owner = waiting.shift()) {
    const route = routes.get(owner.name) as Route;
    for (const field of fieldsOf(owner)) {
      const type = getNamedType(field.type);
      // A route that only some roles may use would hide the object's fields from the others.
      if (owner === start && !isForAll(`${start.name}.${field.name}`)) continue;
      // Skips nullable fields, because their objects may be missing. Nullable root fields are followed, because their
      // arguments name existing objects.
      if (!isNonNullType(field.type) && owner !== start) continue;
      if (!isObjectType(type) || routes.has(type.name)) continue;
      routes.set(type.name, {
        before: `${route.before} ${call(field, given)} {`,
        behind: `} ${route.behind}`,
      });
      waiting.push(type);
    }
  }
  return routes;
}

/** Returns the shortest path from the query root to each type. */
export const routesOfQueries = (given: Given): Map<string, Route> =>
  routesFrom(schema.getQueryType() as GraphQLObjectType, { before: '{', behind: '}' }, given);

/** Calls a function for each field of each object in a response. */
export function eachField(
  value: unknown,
  found: (type: string, field: string, value: unknown) => void,
): void {
  if (Array.isArray(value)) for (const each of value) eachField(each, found);
  else if (typeof value === 'object' && value !== null) {
    const { __typename: type, ...fields } = value as Record<string, unknown>;
    for (const [field, inner] of Object.entries(fields)) {
      if (type) found(type as string, field, inner);
      eachField(inner, found);
    }
  }
}
