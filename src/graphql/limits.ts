/**
 * Limits of the size of operations, the same on every transport. `cost.ts` computes how many objects an
 * operation may ask for.
 */
import { GraphQLError, type ParseOptions, type ValidationRule } from 'graphql';

/**
 * Maximum sizes. Each limit is several times what the largest operations of the console, GraphiQL and the
 * code generators need.
 */
export const LIMITS = {
  /** UTF-16 code units of a document; also, in total, of all texts in the variables of a request. */
  characters: 65_536,
  tokens: 2_000,
  comments: 1_000,
  /**
   * Lines of a document. For each error, graphql-js scans the document up to the line of the error, so many
   * lines with many errors take quadratic time.
   */
  lines: 5_000,
  /** Operations of a document. graphql-js validates all fragments again for each operation. */
  operations: 50,
  /** Fields and fragment spreads of an operation. The fields of a fragment count once per spread. */
  selections: 1_000,
  /**
   * Pairs of fields with the same response name, and pairs of fragments, at one path of the answer.
   * graphql-js compares each pair, so validation takes quadratic time.
   */
  pairs: 5_000,
  /**
   * `__schema` fields of an operation. Executing a `__schema` field that selects the whole schema takes 5 ms.
   */
  schemas: 1,
  depth: 16,
  aliases: 50,
  directives: 50,
  rootFields: 20,
  /** Values in the variables of a request: entries of lists and fields of objects, at all levels. */
  values: 2_000,
  /** Errors returned for one document, or for the variables of one request. */
  errors: 10,
  /** Entries of a page. */
  page: 100,
  /** Slots of the calendar in one field: a month of half-hour slots around the clock. */
  slots: 1_500,
  /** People that `Query.users` returns for one phone number. */
  usersOfPhone: 20,
  /** Cost of an operation: enough for 100 sessions with 100 transitions each, and the objects below them. */
  cost: 25_000,
  /**
   * Leaf values in an answer; `cost.ts` counts some of them several times. Serializing 100,000 values as JSON
   * takes 20 ms.
   */
  answerValues: 100_000,
  /**
   * Cost of one frame (result) of a subscription: a hundred times what the console's subscriptions need. The
   * limit is lower than `cost`, because a subscription may send thousands of frames.
   */
  frameCost: 1_000,
} as const;

/** Options of the parser, which stops with an error at the first limit that a document exceeds. */
export const PARSE_OPTIONS = {
  maxLexicalTokens: LIMITS.tokens,
  maxComments: LIMITS.comments,
  maxSourceLength: LIMITS.characters,
} as const satisfies ParseOptions;

/** Validation rule that refuses introspection, for deployments whose schema is not public. */
export const noIntrospectionRule: ValidationRule = (context) => ({
  Field(node) {
    if (node.name.value !== '__schema' && node.name.value !== '__type') return;
    context.reportError(
      new GraphQLError('Introspection is disabled: use the published schema, schema/schema.graphql.', {
        nodes: node,
      }),
    );
  },
});
