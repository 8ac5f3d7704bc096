/**
 * Text of an operation, with the types of its result and variables for the compiler only. Clients that send texts,
 * such as graphql-ws and graphql-request, take it as it is.
 */
export type TypedDocumentText<Result, Variables> = string & {
  /** Never exists at run time. The name is that of graphql-codegen, so that other tools infer the same types. */
  readonly __apiType?: (variables: Variables) => Result;
};
