import { parse } from '@0no-co/graphql.web';
import type { TypedDocumentNode } from '@urql/core';

/**
 * Parses an operation and keeps its text. The text must be sent unchanged, because a gateway that accepts
 * only trusted documents looks the document up by the hash of its text.
 */
export const document = <Result, Variables>(text: string): TypedDocumentNode<Result, Variables> =>
  parse(text) as TypedDocumentNode<Result, Variables>;

/** Returns the source text of a parsed operation. */
export const getOperationText = ({
  loc,
}: {
  readonly loc?: { source: { body: string } } | undefined;
}): string => loc?.source.body ?? '';
