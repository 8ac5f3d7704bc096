/**
 * The gateway as a subgraph of GraphQL Federation 2: its schema, and its SDL with the directives that composition
 * reads (`@key`, `@shareable`, `@tag`, `@cost`, `@listSize`, `@authenticated`, `@requiresScopes`).
 */
import {
  type ConstDirectiveNode,
  type DocumentNode,
  type FieldDefinitionNode,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
  isObjectType,
  Kind,
  type ObjectTypeDefinitionNode,
  parse,
  print,
  printSchema,
  visit,
} from 'graphql';
import {
  FIELD_RULES,
  type FieldRule,
  findFieldRule,
  OPERATION_ROLES,
  ROLES,
  type Role,
} from '../domain/access.ts';
import { getFieldCostDirectives } from './cost.ts';
import { getSchema } from './schema.ts';
import { getEntityKeys, withEntities } from './subgraph-entities.ts';
import { projectToSubgraph, SHARED_TYPE } from './subgraph-schema.ts';
import { getOwnTypeName } from './type-names.ts';

/** Version 2.9 is the first with `@cost` and `@listSize`. */
const LINK = `extend schema @link(
  url: "https://specs.apollo.dev/federation/v2.9"
  import: ["@key", "@shareable", "@tag", "@cost", "@listSize", "@authenticated", "@requiresScopes"]
)`;

/** Tag of fields with personal data, by which a contract (a part of a supergraph) can leave them out. */
const PERSONAL_DATA_TAG = 'personal-data';

/** Returns the executable schema of the subgraph. */
export function buildSubgraphSchema(prefix: string): GraphQLSchema {
  const subgraph = projectToSubgraph(getSchema(), prefix);
  return withEntities(subgraph, formatSdl(subgraph));
}

/** Returns the SDL of the subgraph. With the default prefix, it is the content of `schema/subgraph.graphql`. */
export const formatSubgraphSdl = (prefix: string): string =>
  formatSdl(projectToSubgraph(getSchema(), prefix));

function formatSdl(subgraph: GraphQLSchema): string {
  const printed: DocumentNode = parse(printSchema(subgraph), { noLocation: true });
  const document = visit(printed, {
    // The root types have their default names, so the definition would only repeat them.
    SchemaDefinition: () => null,
    ObjectTypeDefinition: (node) => addDirectives(node, subgraph),
  });
  return `${LINK}\n\n${print(document)}\n`;
}

function addDirectives(node: ObjectTypeDefinitionNode, subgraph: GraphQLSchema): ObjectTypeDefinitionNode {
  const type = subgraph.getType(node.name.value);
  if (!isObjectType(type)) return node;
  const fields = type.getFields();
  return {
    ...node,
    directives: [...(node.directives ?? []), ...directivesOfType(type)],
    fields: (node.fields ?? []).map((field): FieldDefinitionNode => {
      const described = fields[field.name.value];
      if (!described) return field;
      return {
        ...field,
        directives: [...(field.directives ?? []), ...directivesOfField(type, described)],
      };
    }),
  };
}

function directivesOfType(type: GraphQLObjectType): ConstDirectiveNode[] {
  const keys = getEntityKeys(getOwnTypeName(type)).map((field) => directive(`@key(fields: "${field}")`));
  return type.name === SHARED_TYPE ? [...keys, directive('@shareable')] : keys;
}

function directivesOfField(
  type: GraphQLObjectType,
  field: GraphQLField<unknown, unknown>,
): ConstDirectiveNode[] {
  const { weight, listSize } = getFieldCostDirectives(type, field);
  const roles = getRequiredRoles(getOwnTypeName(type), field.name);
  const found = [
    isRootField(type, field) && '@authenticated',
    roles && `@requiresScopes(scopes: ${JSON.stringify(roles.map((role) => [role]))})`,
    isPersonal(type, field) && `@tag(name: "${PERSONAL_DATA_TAG}")`,
    weight !== null && `@cost(weight: ${weight})`,
    listSize && formatListSize(listSize),
  ];
  return found.filter((text) => typeof text === 'string').map(directive);
}

const isRootField = (type: GraphQLObjectType, { name }: GraphQLField<unknown, unknown>): boolean =>
  `${type.name}.${name}` in OPERATION_ROLES;

/**
 * Returns the roles without which a router refuses a field, given its type and name in the gateway's own schema. Null:
 * the gateway serves the field to all roles, or the value decides who sees it (masked or a person's own text).
 */
function getRequiredRoles(type: string, field: string): readonly Role[] | null {
  const ofOperation: readonly Role[] | undefined =
    OPERATION_ROLES[`${type}.${field}` as keyof typeof OPERATION_ROLES];
  const rule = findFieldRule(type, field);
  const { roles, own }: FieldRule = FIELD_RULES[rule ?? 'OPEN'];
  const required = ofOperation ?? roles;
  if (own || rule === 'PHONE' || required.length === Object.keys(ROLES).length) return null;
  return required;
}

function isPersonal(type: GraphQLObjectType, { name }: GraphQLField<unknown, unknown>): boolean {
  const rule: FieldRule = FIELD_RULES[findFieldRule(getOwnTypeName(type), name) ?? 'OPEN'];
  return rule.personal ?? false;
}

function formatListSize(
  listSize: NonNullable<ReturnType<typeof getFieldCostDirectives>['listSize']>,
): string {
  if ('assumedSize' in listSize) return `@listSize(assumedSize: ${listSize.assumedSize})`;
  const { slicingArguments, sizedFields } = listSize;
  // A document may pass both arguments as variables, one of them null, so a router must not require exactly one.
  return `@listSize(slicingArguments: ${JSON.stringify(slicingArguments)}, sizedFields: ${JSON.stringify(sizedFields)}, requireOneSlicingArgument: false)`;
}

/** Parses a directive with constant arguments. */
function directive(text: string): ConstDirectiveNode {
  const [definition] = parse(`type T ${text} { f: Int }`, { noLocation: true }).definitions;
  if (definition?.kind !== Kind.OBJECT_TYPE_DEFINITION) throw new Error(`${text} is not a directive`);
  return definition.directives?.[0] as ConstDirectiveNode;
}
