import { parse } from '@0no-co/graphql.web';
import type { TypedDocumentNode } from '@urql/core';

/** An operation that is sent as its text stands: a gateway that takes trusted documents alone knows it by its hash. */
export const document = <Result, Variables>(text: string): TypedDocumentNode<Result, Variables> =>
  parse(text) as TypedDocumentNode<Result, Variables>;

/** The text of an operation. */
export const getDocumentText = ({
  loc,
}: {
  readonly loc?: { source: { body: string } } | undefined;
}): string => loc?.source.body ?? '';
