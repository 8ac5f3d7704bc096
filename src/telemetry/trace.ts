/**
 * What the rest of the code knows of traces. While none are exported there is no tracer: nothing is wrapped, and
 * nothing of OpenTelemetry has been read.
 */

/** Of OpenTelemetry, through `tracing.ts`. */
export interface Tracer {
  /** The trace that is under way, as W3C Trace Context writes it; null where nothing is. */
  traceparent(): string | null;
  /** Runs work that is nobody's in particular. */
  detached<T>(work: () => T): T;
  /** Runs work later, in the trace that is under way now. */
  bound<Given extends unknown[], T>(work: (...given: Given) => T): (...given: Given) => T;
  /** Runs work within a span: of the trace that the traceparent names, or of the one that is under way. */
  span<T>(name: string, details: SpanDetails<T>, work: () => Promise<T>): Promise<T>;
}

/** No detail may tell of a person: no ids of verifications, no addresses with them, nothing that somebody wrote. */
export interface SpanDetails<T = unknown> {
  readonly kind?: 'INTERNAL' | 'SERVER' | 'CLIENT' | 'PRODUCER' | 'CONSUMER';
  /** Of the trace that this goes on with; without it, the one that is under way. */
  readonly from?: string | null;
  readonly attributes?: Readonly<Record<string, string | number>>;
  /** The code of a failure that is in the result; undefined where all went well. */
  readonly failureIn?: (result: T) => string | undefined;
}

let tracer: Tracer | null = null;

/** From here on this process is traced, or no more. */
export const traceBy = (given: Tracer | null): void => {
  tracer = given;
};

export const currentTraceparent = (): string | null => tracer?.traceparent() ?? null;

/** Runs work, within a span where this process is traced. */
export const traced = <T>(name: string, details: SpanDetails<T>, work: () => Promise<T>): Promise<T> =>
  tracer ? tracer.span(name, details, work) : work();

/**
 * Runs work that goes on for others than whoever set it going, such as a queue's: it would gather in the trace of the
 * one who happened to wake it.
 */
export const detached = <T>(work: () => T): T => (tracer ? tracer.detached(work) : work());

/** Has work be of the trace that is under way now, whenever it is run. */
export const inThisTrace = <Given extends unknown[], T>(
  work: (...given: Given) => T,
): ((...given: Given) => T) => (tracer ? tracer.bound(work) : work);
