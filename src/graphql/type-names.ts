import type { GraphQLNamedType } from 'graphql';

/** Key in the `extensions` of a renamed type: the name that the type has in the gateway's own schema. */
const OWN_NAME = 'vkycOwnName';

/**
 * Returns the name of a type in the gateway's own schema. The tables of costs and of access rules have these
 * names, whereas a subgraph may serve the type under another name.
 */
export const getOwnTypeName = ({ name, extensions }: Pick<GraphQLNamedType, 'name' | 'extensions'>): string =>
  (extensions[OWN_NAME] as string | undefined) ?? name;

/** Returns the extensions of a renamed type, from which `getOwnTypeName` reads its name. */
export const withOwnTypeName = ({ name, extensions }: Pick<GraphQLNamedType, 'name' | 'extensions'>) => ({
  ...extensions,
  [OWN_NAME]: name,
});
