import { expect, test } from 'vitest';
import { PROVIDER_PAIRS } from '../../src/domain/status.ts';
import { buildJourney } from '../../src/sandbox/journey.ts';

const ENDS = [
  'AGENT_ENDED_CALL',
  'AUDITOR_APPROVED',
  'AUDITOR_REJECTED',
  'INSUFFICIENT_BALANCE',
  'VKYC_EXPIRED',
];
const HOUR = 3600;
const DAY = 24 * HOUR;

const journeys = (scenario: string, count: number) =>
  Array.from({ length: count }, (_, index) =>
    buildJourney({
      verificationId: `${index}.${scenario}`,
      seed: 'sandbox',
      template: 'vkyc_user_template_v1',
      aadhaarSent: false,
    }),
  );
const lengthOf = (steps: readonly { afterSeconds: number }[]) =>
  steps.reduce((sum, step) => sum + step.afterSeconds, 0);
const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] as number;

test('random journeys of the sandbox reach their end or the agent’s review within 40 steps, and nearly all of them differ', () => {
  const made = journeys('random', 2000);

  for (const steps of made) {
    expect(ENDS).toContain(steps.at(-1)?.subStatus);
    expect(steps.length).toBeLessThanOrEqual(40);
    expect(Math.max(...steps.map((step) => step.afterSeconds))).toBeLessThanOrEqual(6);
  }
  expect(new Set(made.map((steps) => JSON.stringify(steps))).size).toBeGreaterThan(1900);
  for (const end of ENDS) expect(made.some((steps) => steps.at(-1)?.subStatus === end)).toBe(true);
});

test('random journeys of the sandbox repeat Aadhaar checks, meetings and calls, often with two steps in the same second', () => {
  const made = journeys('random', 500);
  const twice = (name: string) =>
    made.filter((steps) => steps.filter((step) => step.subStatus === name).length > 1).length;

  expect(twice('AADHAAR_VERIFICATION_FAILED')).toBeGreaterThan(10);
  expect(twice('USER_MEETING_SCHEDULED')).toBeGreaterThan(10);
  expect(twice('USER_ACCEPTED_MEETING')).toBeGreaterThan(10);
  expect(
    made.filter((steps) => steps.slice(1).some((step) => step.afterSeconds === 0)).length,
  ).toBeGreaterThan(250);
});

test('random journeys of the sandbox reach every documented status pair, and have no Aadhaar step with the call-only template', () => {
  const reached = new Set(journeys('random', 2000).flatMap((steps) => steps.map((step) => step.subStatus)));
  const without = buildJourney({
    verificationId: '1.random',
    seed: 'sandbox',
    template: 'vkyc_user_call_only_template',
    aadhaarSent: true,
  });

  expect([...reached].sort()).toEqual(PROVIDER_PAIRS.map(({ subStatus }) => subStatus).sort());
  expect(without.map((step) => step.subStatus).filter((name) => name.startsWith('AADHAAR'))).toEqual([]);
});

test('a meeting in a random or lifelike journey of the sandbox takes place at its booked time', () => {
  const meetings = [...journeys('random', 500), ...journeys('lifelike', 500)].flatMap((steps) =>
    steps.flatMap((step, index) => {
      const next = steps[index + 1];
      return step.meetingInSeconds && next?.subStatus === 'SCHEDULED_USER_QUEUED'
        ? [[step.meetingInSeconds, next.afterSeconds]]
        : [];
    }),
  );

  expect(meetings.length).toBeGreaterThan(100);
  for (const [bookedFor, tookPlace] of meetings) expect(tookPlace).toBe(bookedFor);
});

test('lifelike journeys of the sandbox take as long as real people would: minutes until the link is opened, days until a meeting, 30 days until the link expires', () => {
  const made = journeys('lifelike', 2000);
  const opened = made.filter((steps) => steps.length > 2);
  const openings = opened.map((steps) => steps[1]?.afterSeconds as number);
  const gapsTo = (name: string) =>
    made.flatMap((steps) => steps.filter((step) => step.subStatus === name).map((step) => step.afterSeconds));

  expect(median(openings)).toBeGreaterThan(5 * 60);
  expect(median(openings)).toBeLessThan(20 * 60);
  expect(Math.max(...openings)).toBeGreaterThan(DAY);
  const expired = made.filter((steps) => steps.at(-1)?.subStatus === 'VKYC_EXPIRED');
  expect(expired.length).toBeGreaterThan(100);
  for (const steps of expired) expect(lengthOf(steps)).toBeCloseTo(30 * DAY, 0);
  expect(expired.some((steps) => steps.length === 2)).toBe(true);
  for (const call of gapsTo('AGENT_ENDED_CALL')) {
    expect(call).toBeGreaterThanOrEqual(120);
    expect(call).toBeLessThanOrEqual(240);
  }
  for (const review of gapsTo('AUDITOR_APPROVED')) {
    expect(review).toBeGreaterThanOrEqual(HOUR / 2);
    expect(review).toBeLessThanOrEqual(DAY);
  }
  expect(Math.max(...gapsTo('SCHEDULED_USER_QUEUED'))).toBeGreaterThan(DAY);
});

test('the start request determines the journey of the sandbox: another seed or verification id gives another journey', () => {
  const request = {
    verificationId: '1.random',
    seed: 'sandbox',
    template: 'vkyc_user_template_v1' as const,
    aadhaarSent: false,
  };

  expect(buildJourney(request)).toEqual(buildJourney({ ...request }));
  expect(buildJourney({ ...request, seed: 'another' })).not.toEqual(buildJourney(request));
  expect(buildJourney({ ...request, verificationId: '2.random' })).not.toEqual(buildJourney(request));
});
