interface Helpers {
  readonly args: Record<string, unknown> | null;
  toReference(object: { __typename: string; id: string }): unknown;
}

interface Page {
  readonly nodes?: readonly unknown[];
  readonly edges?: readonly unknown[];
}

/** A list of pages: one list for each filter and order; a later page is appended to it. */
const pages = (...keyArgs: string[]) => ({
  keyArgs,
  merge(
    known: Page | undefined,
    read: Page,
    { args }: { readonly args: Record<string, unknown> | null },
  ): Page {
    if (!known || !args?.after) return read;
    return {
      ...read,
      ...(read.nodes ? { nodes: [...(known.nodes ?? []), ...read.nodes] } : {}),
      ...(read.edges ? { edges: [...(known.edges ?? []), ...read.edges] } : {}),
    };
  },
});

/** A part that changes as a whole: with its session, not field by field. */
const asWhole = { merge: false } as const;

/**
 * Type policies for Apollo Client's cache. Lists grow by `fetchMore`, a session that is in the cache is found by its
 * id, and the parts of a session that have no id of their own are replaced as a whole.
 */
export const typePolicies = {
  Query: {
    fields: {
      session: (known: unknown, { args, toReference }: Helpers) =>
        known === undefined && typeof args?.id === 'string'
          ? toReference({ __typename: 'VkycSession', id: args.id })
          : known,
      sessions: pages('filter', 'orderBy'),
      meetings: pages('from', 'to', 'filter'),
      sessionStats: asWhole,
    },
  },
  // Each frame takes the place of the one before.
  Subscription: { fields: { feed: asWhole, sessionLive: asWhole, statusTransitions: asWhole } },
  VkycSession: { fields: { statusInfo: asWhole, user: asWhole } },
};
