/** Age of Aadhaar details: startSession refuses old ones, but never the repetition of a start that was accepted. */
import { expect, test } from 'vitest';
import { stillClock } from '../harness/clock.ts';
import { bootGateway, type Gateway } from '../harness/gateway.ts';
import { forgetStart } from '../harness/loss.ts';
import { against, asha, known, problem, start } from './starting.ts';

const DAY_MS = 24 * 3_600_000;
/** Friday noon in India. */
const FRIDAY = '2026-11-27T12:00:00+05:30';

const AADHAAR = {
  name: 'Asha Rao',
  dob: '29-02-1992',
  gender: 'F',
  careOf: '',
  photoLink: 'https://example.com/photo.jpg',
  address: {
    country: 'India',
    dist: 'Pune',
    house: '12 B',
    pincode: '411001',
    state: 'Maharashtra',
    street: 'MG Road',
  },
};
const inputOf = (verificationId: string, lastVerifiedAt: string) => ({
  verificationId,
  user: asha,
  aadhaarDetails: { ...AADHAAR, lastVerifiedAt },
});
const startWith = (gateway: Gateway, verificationId: string, lastVerifiedAt: string) =>
  start(gateway, inputOf(verificationId, lastVerifiedAt));

const SUCCESS = { __typename: 'StartSessionSuccess' };
const tooOld = (earliest: string, days = '3 working days') => ({
  __typename: 'InvalidInputError',
  code: 'INVALID_INPUT',
  retryable: false,
  problems: [
    {
      path: ['aadhaarDetails', 'lastVerifiedAt'],
      message: `must not be more than ${days} ago (AADHAAR_MAX_AGE_DAYS): the earliest day allowed today is ${earliest} in India. Verify the details again, or leave aadhaarDetails out`,
    },
  ],
});

test.each([
  ['within a week', FRIDAY, '2026-11-24'],
  ['across a weekend', '2026-11-25T12:00:00+05:30', '2026-11-20'],
  ['on a Sunday', '2026-11-29T12:00:00+05:30', '2026-11-24'],
  ['across the end of a month', '2026-04-02T12:00:00+05:30', '2026-03-30'],
  ['across the end of a year', '2027-01-01T12:00:00+05:30', '2026-12-29'],
  ['in the first minute of a day in India', '2026-11-27T00:00:00+05:30', '2026-11-24'],
  ['in the last minute of a day in India', '2026-11-27T23:59:59.999+05:30', '2026-11-24'],
])(
  'Aadhaar details are accepted if they were verified since the start of the third working day before today, and refused if one millisecond earlier: %s',
  async (_when, now, earliest) => {
    const gateway = await bootGateway({ clock: stillClock(new Date(now)) });
    const midnight = new Date(`${earliest}T00:00:00+05:30`);

    const atTheLimit = await startWith(gateway, 'age.1', midnight.toISOString());
    const beyond = await startWith(gateway, 'age.2', new Date(midnight.getTime() - 1).toISOString());

    expect(atTheLimit).toMatchObject(SUCCESS);
    expect(beyond).toMatchObject(tooOld(earliest));
  },
);

test('the age of Aadhaar details that were verified on a weekend counts from the next Monday', async () => {
  const clock = stillClock(new Date('2026-11-25T23:59:00+05:30'));
  const gateway = await bootGateway({ clock });
  const onSunday = '2026-11-22T10:00:00+05:30';

  const onWednesday = await startWith(gateway, 'weekend.1', onSunday);
  clock.forward(60_000);
  const onThursday = await startWith(gateway, 'weekend.2', onSunday);

  expect(onWednesday).toMatchObject(SUCCESS);
  expect(onThursday).toMatchObject(tooOld('2026-11-23'));
});

test('AADHAAR_MAX_AGE_DAYS sets the maximum age of Aadhaar details in working days, and the days in HOLIDAYS do not count', async () => {
  const clock = stillClock(new Date(FRIDAY));
  const environment = { AADHAAR_MAX_AGE_DAYS: '1', HOLIDAYS: '2026-11-26, 2026-11-27' };
  const gateway = await bootGateway({ clock, environment });

  expect(await startWith(gateway, 'setting.1', '2026-11-24T00:00:00+05:30')).toMatchObject(SUCCESS);
  expect(await startWith(gateway, 'setting.2', '2026-11-23T23:59:59+05:30')).toMatchObject(
    tooOld('2026-11-24', '1 working day'),
  );
});

test('startSession reports a lastVerifiedAt in the future as one problem only, and a lastVerifiedAt in the year 1 as too old', async () => {
  const gateway = await bootGateway({ clock: stillClock(new Date(FRIDAY)) });

  const future = await startWith(gateway, 'far.1', '2026-11-28T12:00:00+05:30');
  const past = await startWith(gateway, 'far.2', '0001-01-01T00:00:00Z');

  expect(future.problems).toEqual([
    { path: ['aadhaarDetails', 'lastVerifiedAt'], message: 'must not be in the future' },
  ]);
  expect(past).toMatchObject(tooOld('2026-11-24'));
});

test('old Aadhaar details are reported together with all other problems of the input', async () => {
  const gateway = await bootGateway({ clock: stillClock(new Date(FRIDAY)) });
  const input = inputOf('has a space', '2026-11-01T12:00:00+05:30');

  const { problems } = await start(gateway, {
    ...input,
    aadhaarDetails: { ...input.aadhaarDetails, dob: '31-02-1990' },
  });

  expect(problems.map(({ path }: { path: string[] }) => path.join('.'))).toEqual([
    'verificationId',
    'aadhaarDetails.dob',
    'aadhaarDetails.lastVerifiedAt',
  ]);
});

test('old Aadhaar details are refused before anything about the customer is sent to the provider', async () => {
  const { gateway, provider } = await against(() => problem(404, 'referenceId_not_found'), {
    clock: stillClock(new Date(FRIDAY)),
  });

  expect(await startWith(gateway, 'old.1', '2026-11-23T12:00:00+05:30')).toMatchObject(tooOld('2026-11-24'));

  // The gateway asks the provider only whether it has the verification: a failover may have lost the gateway's own row.
  expect(provider.calls).toEqual(['GET /vkyc']);
  expect((await gateway.database.query('select from vkyc_user')).rowCount).toBe(0);
});

test('a retry of a successful start returns its session 20 days later, although the Aadhaar details are too old by then', async () => {
  const clock = stillClock(new Date(FRIDAY));
  const gateway = await bootGateway({ clock });
  const first = await startWith(gateway, 'again.1', FRIDAY);
  clock.forward(20 * DAY_MS);

  const again = await startWith(gateway, 'again.1', FRIDAY);
  const fresh = await startWith(gateway, 'again.2', FRIDAY);

  expect(again).toMatchObject({ replayed: true, session: { id: first.session.id } });
  expect(fresh).toMatchObject(tooOld('2026-12-14'));
});

test.each([
  ['the gateway', asha],
  ['the caller', { ...asha, userId: 'asha' }],
])(
  'a retry completes a start whose provider response was lost, although the Aadhaar details are too old by then (user id chosen by %s)',
  async (_who, user) => {
    const clock = stillClock(new Date(FRIDAY));
    let answers = false;
    let begun: Record<string, string> = {};
    const { gateway, provider } = await against(
      ({ method, path, body }) => {
        if (path.startsWith('/user'))
          return known(method === 'POST' ? JSON.parse(body).user_id : (begun.user_id ?? 'asha'));
        if (method === 'POST') begun = JSON.parse(body);
        if (!answers) return problem(504, 'http_504');
        return { body: JSON.stringify({ ...begun, status: 'RECEIVED', sub_status: 'LINK_GENERATED' }) };
      },
      { clock },
    );
    const input = { ...inputOf('unanswered.1', FRIDAY), user };
    const lost = await start(gateway, input);
    clock.forward(20 * DAY_MS);
    answers = true;

    const found = await start(gateway, input);

    expect(lost).toMatchObject({ code: 'PROVIDER_UNAVAILABLE', retryable: true });
    expect(found).toMatchObject(SUCCESS);
    expect(provider.calls.filter((call) => call === 'POST /vkyc')).toHaveLength(1);
  },
);

test.each(['ALL', 'INTENT_STAYS'] as const)(
  'if the database lost a start, its retry finds the verification at the provider, although the Aadhaar details are too old by then (%s)',
  async (lost) => {
    const clock = stillClock(new Date(FRIDAY));
    let sends = 0;
    const gateway = await bootGateway({
      clock,
      provider: (client) => ({
        ...client,
        startVerification(request) {
          sends += 1;
          return client.startVerification(request);
        },
      }),
    });
    const first = await startWith(gateway, 'lost.1', FRIDAY);
    await forgetStart(gateway, 'lost.1', lost);
    clock.forward(20 * DAY_MS);

    const other = lost === 'ALL' ? await startWith(gateway, 'lost.1', '2026-11-27T11:00:00+05:30') : null;
    const again = await startWith(gateway, 'lost.1', FRIDAY);

    if (other) expect(other).toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
    expect(again).toMatchObject({ session: { referenceId: first.session.referenceId } });
    expect(await startWith(gateway, 'lost.1', FRIDAY)).toMatchObject({ replayed: true });
    expect(sends).toBe(1);
  },
);

test('after a start that never reached the provider, its retry is refused once the Aadhaar details are too old, and a start with newer details may use the same verification id', async () => {
  const clock = stillClock(new Date(FRIDAY));
  let up = false;
  const { gateway, provider } = await against(
    ({ method, path, body }) => {
      if (!up) return null;
      if (path.startsWith('/user')) return known(JSON.parse(body).user_id);
      if (method === 'GET') return problem(404, 'referenceId_not_found');
      const { verification_id, user_id } = JSON.parse(body);
      const status = { status: 'RECEIVED', sub_status: 'LINK_GENERATED' };
      return { body: JSON.stringify({ verification_id, user_id, ...status }) };
    },
    { clock },
  );
  const unsent = await startWith(gateway, 'unsent.1', FRIDAY);
  clock.forward(20 * DAY_MS);
  up = true;

  const refused = await startWith(gateway, 'unsent.1', FRIDAY);
  const corrected = await startWith(gateway, 'unsent.1', clock.now().toISOString());

  expect(unsent).toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
  expect(refused).toMatchObject(tooOld('2026-12-14'));
  expect(corrected).toMatchObject({ ...SUCCESS, replayed: false });
  expect(provider.calls.filter((call) => call === 'POST /vkyc')).toHaveLength(1);
});
