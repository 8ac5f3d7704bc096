/**
 * Schemas of stored session figures. Stored figures that do not match, such as those of another release, are ignored.
 */
import { z } from 'zod';
import type { PhaseMedianStay, PhaseReachStats, StateCount } from '../../db/sessions/session-stats.ts';
import type { Party, Status, SubStatus } from '../../domain/status.ts';

/** Schema of a name that is not checked against a list, because a later release may store a status unknown here. */
const name = <Name extends string>() => z.custom<Name>((value) => typeof value === 'string');
const count = z.int().min(0);
const seconds = z.number();
const time = z.iso.datetime().transform((text) => new Date(text));

export const storedStateCountsSchema: z.ZodType<StateCount[]> = z.array(
  z.object({
    status: name<Status>(),
    subStatus: name<SubStatus>(),
    waitingOn: name<Party>(),
    count,
    oldestSince: time,
  }),
);

export const storedPhasesReachedSchema: z.ZodType<PhaseReachStats[]> = z.array(
  z.object({ status: name<Status>(), reached: count, medianSecondsToReach: seconds }),
);

export const storedPhaseStaysSchema: z.ZodType<PhaseMedianStay[]> = z.array(
  z.object({ status: name<Status>(), medianSeconds: seconds }),
);

/** Sessions created in an interval of time, and their outcomes. */
export interface IntervalFigures {
  readonly from: Date;
  readonly to: Date;
  readonly started: number;
  readonly approved: number;
  readonly ended: number;
}

export const storedIntervalsSchema: z.ZodType<IntervalFigures[]> = z.array(
  z.object({ from: time, to: time, started: count, approved: count, ended: count }),
);
