import { GraphQLError } from 'graphql';
import { ArgsType, type ClassType, Field, Int, ObjectType } from 'type-graphql';
import { LIMITS } from './limits.ts';

/**
 * Highest `totalCount` of a connection. For a longer list the field is null, because counting more rows would
 * take too long.
 */
export const MAX_TOTAL_COUNT = 10_000;

@ObjectType({ description: 'Position of a page within its list.', simpleResolvers: true })
export class PageInfo {
  @Field(() => Boolean, {
    description: 'True if more entries follow this page. Always false when paging backwards with `last`.',
  })
  hasNextPage: boolean;
  @Field(() => Boolean, {
    description: 'True if more entries precede this page. Always false when paging forwards with `first`.',
  })
  hasPreviousPage: boolean;
  @Field(() => String, {
    nullable: true,
    description: "Cursor of the page's first entry. Null if the page is empty.",
  })
  startCursor: string | null;
  @Field(() => String, {
    nullable: true,
    description:
      "Cursor of the page's last entry: pass it as `after` to get the next page. Null if the page is empty.",
  })
  endCursor: string | null;
}

@ArgsType()
export class ForwardArgs {
  @Field(() => Int, {
    nullable: true,
    description: `Page size from the start of the list, 1 to ${LIMITS.page}. Required, unless the field also has \`last\` and you pass \`last\`.`,
  })
  first?: number;
  @Field(() => String, {
    nullable: true,
    description: 'Returns only entries after this cursor. Pass the `endCursor` of the previous page.',
  })
  after?: string;
}

@ArgsType()
export class PageArgs extends ForwardArgs {
  @Field(() => Int, {
    nullable: true,
    description: `Page size from the end of the list, 1 to ${LIMITS.page}. Pass it instead of \`first\`.`,
  })
  last?: number;
  @Field(() => String, {
    nullable: true,
    description:
      'Returns only entries before this cursor. To page backwards, pass the `startCursor` of the page that you have.',
  })
  before?: string;
}

/** Size of a page, and whether the page is counted from the start or from the end of the list. */
interface Shape {
  readonly limit: number;
  readonly end: 'FIRST' | 'LAST';
}

/**
 * Checks that exactly one of `first` and `last` is given, and returns the page's size and end.
 * @throws GraphQLError that says how to ask for a page
 */
export function parsePageArgs({ first, last }: PageArgs): Shape {
  const limit = first ?? last;
  if (limit == null) throw createBadInputError('The page size is missing: pass `first` or `last`.');
  if (first != null && last != null) throw createBadInputError('Pass either `first` or `last`, not both.');
  const name = first == null ? 'last' : 'first';
  if (limit < 1 || limit > LIMITS.page)
    throw createBadInputError(`\`${name}\` must be 1 to ${LIMITS.page}, not ${limit}.`);
  return { limit, end: first == null ? 'LAST' : 'FIRST' };
}

export const createBadInputError = (message: string): GraphQLError =>
  new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } });

/**
 * The `pageInfo` of one page. A cursor is encoded only when its getter is called, because most clients read
 * only `endCursor`.
 */
class Place<Row> implements PageInfo {
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
  readonly #nodes: readonly Row[];
  readonly #cursorOf: (row: Row) => string;

  constructor(nodes: readonly Row[], cursorOf: (row: Row) => string, more: boolean, end: Shape['end']) {
    this.hasNextPage = end === 'FIRST' && more;
    this.hasPreviousPage = end === 'LAST' && more;
    this.#nodes = nodes;
    this.#cursorOf = cursorOf;
  }

  get startCursor(): string | null {
    return this.#cursorAt(0);
  }

  get endCursor(): string | null {
    return this.#cursorAt(-1);
  }

  #cursorAt(index: number): string | null {
    const row = this.#nodes.at(index);
    return row ? this.#cursorOf(row) : null;
  }
}

/**
 * Page of a connection, as resolvers return it. `rows` holds one row more than `limit` if another page
 * follows. `Page` is a class because V8 puts the getters of an object literal into old space, where they
 * would keep the page's rows alive past minor garbage collections.
 */
export class Page<Row> {
  readonly nodes: readonly Row[];
  readonly pageInfo: PageInfo;
  readonly #cursorOf: (row: Row) => string;
  readonly #count: () => Promise<number | null>;

  /** `count` returns the length of the whole list, and is called only if the client selects `totalCount`. */
  constructor(
    rows: readonly Row[],
    { limit, end }: Shape,
    cursorOf: (row: Row) => string,
    count: () => Promise<number | null> = async () => null,
  ) {
    this.nodes = end === 'FIRST' ? rows.slice(0, limit) : rows.slice(-limit);
    this.pageInfo = new Place(this.nodes, cursorOf, rows.length > limit, end);
    this.#cursorOf = cursorOf;
    this.#count = count;
  }

  get edges(): { node: Row; cursor: string }[] {
    return this.nodes.map((node) => ({ node, cursor: this.#cursorOf(node) }));
  }

  get totalCount(): Promise<number | null> {
    return this.#count();
  }
}

/**
 * Creates the Relay connection and edge types whose resolved value is a `Page`. If `isCounted`, the
 * connection has a `totalCount`.
 */
export function createConnectionTypes<T extends object>(
  name: string,
  node: () => ClassType<T>,
  isCounted = false,
) {
  @ObjectType(`${name}Edge`, {
    description: `A ${name} with its position in the list.`,
    simpleResolvers: true,
  })
  class Edge {
    @Field(() => node(), { description: 'The object at this position of the list.' })
    node: T;
    @Field(() => String, {
      description: 'Opaque position of the entry. Pass it as `after` or `before` to page from here.',
    })
    cursor: string;
  }

  @ObjectType(`${name}Connection`, { description: `One page of a list of ${name}.`, simpleResolvers: true })
  class Connection {
    @Field(() => [Edge], { description: 'Entries of this page, each with its cursor.' })
    edges: Edge[];
    @Field(() => [node()], {
      description: 'Entries of this page, without a cursor for each.',
    })
    nodes: T[];
    @Field(() => PageInfo, {
      description: 'Cursors of this page, and whether more pages follow or precede it.',
    })
    pageInfo: PageInfo;
    totalCount?: number;
  }
  if (isCounted) {
    const description = `Number of entries on all pages. Exact up to ${MAX_TOTAL_COUNT.toLocaleString('en')}; null for a longer list.`;
    Field(() => Int, { nullable: true, description, simple: false })(Connection.prototype, 'totalCount');
  }
  return { Edge, Connection };
}
