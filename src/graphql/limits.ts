/**
 * Size limits of operations, the same on every transport. `cost.ts` limits how many objects an operation may
 * ask for.
 */
import { GraphQLError, type ParseOptions, type ValidationRule } from 'graphql';

/**
 * Limits, each several times what the largest operations of the console, GraphiQL and the code generators
 * need.
 */
export const LIMITS = {
  /** UTF-16 code units of a document, and of all texts in the variables of a request. */
  characters: 65_536,
  tokens: 2_000,
  comments: 1_000,
  /**
   * Lines of a document. To find the line of a node that an error points at, graphql-js reads the document up
   * to it.
   */
  lines: 5_000,
  /** Operations of a document. graphql-js walks the fragments again for each. */
  operations: 50,
  /** Fields and fragments of an operation, each counted at every spread of the fragment that contains it. */
  selections: 1_000,
  /**
   * Pairs of fields with one response name, and of fragments, in one place of the answer. graphql-js compares
   * each pair, so validation takes quadratic time.
   */
  pairs: 5_000,
  /** `__schema` fields of an operation. One that selects everything takes 5 ms to execute. */
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
  /**
   * Cost of an operation: enough for a page of 100 sessions with 100 transitions each, and the objects below
   * those.
   */
  cost: 25_000,
  /**
   * Leaf values in an answer, some of which count several times, see `cost.ts`. Writing 100,000 of them as
   * JSON takes 20 ms.
   */
  answerValues: 100_000,
  /**
   * Cost of one frame of a subscription, lower because there may be thousands of frames. A hundred times what
   * our own subscriptions need.
   */
  frameCost: 1_000,
} as const;

/** Options of the parser, which stops at these limits and does not read the rest of a longer document. */
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
