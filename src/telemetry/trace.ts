/**
 * Tracing interface for the rest of the code. If traces are not exported, there is no tracer: work runs without
 * spans, and no OpenTelemetry module is loaded.
 */

/** Functions of a tracer; `tracing.ts` implements them with OpenTelemetry. */
export interface Tracer {
  /** Returns the current trace in W3C Trace Context format; null if there is none. */
  traceparent(): string | null;
  /** Runs work outside any trace. */
  detached<T>(work: () => T): T;
  /** Returns a function that runs `work` in the trace that is current now, whenever it is called. */
  bound<Given extends unknown[], T>(work: (...given: Given) => T): (...given: Given) => T;
  /** Runs work in a span. `SpanDetails.from` says to which trace the span belongs. */
  span<T>(name: string, details: SpanDetails<T>, work: () => Promise<T>): Promise<T>;
}

/**
 * Details of a span. Must not contain personal data: no verification ids, no URLs with such ids, no free text.
 */
export interface SpanDetails<T = unknown> {
  readonly kind?: 'INTERNAL' | 'SERVER' | 'CLIENT' | 'PRODUCER' | 'CONSUMER';
  /**
   * Traceparent of the trace to continue. Null starts a new trace; if missing, the span belongs to the current
   * trace.
   */
  readonly from?: string | null;
  readonly attributes?: Readonly<Record<string, string | number>>;
  /** Returns the code of a failure that is part of the result; undefined if there is none. */
  readonly failureIn?: (result: T) => string | undefined;
}

let tracer: Tracer | null = null;

/** Turns tracing of this process on, or off with null. */
export const setTracer = (given: Tracer | null): void => {
  tracer = given;
};

export const getCurrentTraceparent = (): string | null => tracer?.traceparent() ?? null;

/** Runs work, in a span if tracing is on. */
export const withSpan = <T>(name: string, details: SpanDetails<T>, work: () => Promise<T>): Promise<T> =>
  tracer ? tracer.span(name, details, work) : work();

/**
 * Runs shared work, such as processing a queue, outside any trace; otherwise the work would become part of the
 * trace of the caller that happened to start it.
 */
export const withoutTrace = <T>(work: () => T): T => (tracer ? tracer.detached(work) : work());

/**
 * Returns a function that runs `work` in the trace that is current now, even if it is called later, outside of that
 * trace.
 */
export const bindToCurrentTrace = <Given extends unknown[], T>(
  work: (...given: Given) => T,
): ((...given: Given) => T) => (tracer ? tracer.bound(work) : work);
