import type { Context } from '@opentelemetry/api';
import type { SpanDetails } from './trace.ts';

/** Started span, and the context for work within it. */
export interface StartedSpan {
  readonly within: Context;
  /** Ends the span. A failure is recorded by its type or code only: error messages may contain personal data. */
  end(failure?: unknown, attributes?: SpanDetails['attributes']): void;
}

export type BeginSpan = (
  name: string,
  details: Pick<SpanDetails, 'kind' | 'from' | 'attributes'>,
) => StartedSpan;
