/** Generated bad values in each argument of the mutations for staff: a refusal that names the field, and nothing recorded. */
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_LABEL_LENGTH } from '../../src/domain/labels.ts';
import { expectSound, report, sessionAt, settled, staffOf } from '../harness/acting.ts';
import { bootGateway } from '../harness/gateway.ts';
import { inMinutes, type Person } from '../harness/people.ts';

// Compares no results of graphql-js and compiled execution, which would take half of the time.
const gateway = await bootGateway({ bothWays: false });
const { olga, ravi, uma, dev } = await staffOf(gateway);
const RUNS = { numRuns: Number(process.env.BAD_INPUTS ?? 6) };

const LETTERS = fc.constantFrom('a', 'é', 'क', '\n');
const tooLong = (longest: number) =>
  fc
    .string({ unit: LETTERS, minLength: longest + 1, maxLength: longest + 50 })
    .filter((each) => /\S/.test(each));
const INVISIBLE = fc
  .array(fc.constantFrom(' ', '\t', '\n', '\u200b', '\u2060'), { minLength: 1, maxLength: 20 })
  .map((each) => each.join(''));
const UNSTORABLE = fc
  .tuple(fc.string({ maxLength: 20 }), fc.constantFrom('\0', '\ud800', '\udc00'))
  .map(([text, end]) => `${text}${end}`);
const EMPTY = fc.constant('');

/** Texts that a text field with this limit refuses. */
const badText = (longest: number) => fc.oneof(tooLong(longest), INVISIBLE, UNSTORABLE);
const badRequiredText = (longest: number) => fc.oneof(badText(longest), EMPTY);
const badKey = fc.oneof(fc.string({ minLength: 201, maxLength: 300 }), INVISIBLE, UNSTORABLE, EMPTY);
const badVersion = fc.integer({ min: -1000, max: 0 });

/** Texts that no label may have. */
const badLabel = (longest: number) =>
  fc.oneof(badRequiredText(longest), fc.constantFrom(' vip', 'vip ', 'v\nip', 'v\u0007ip'));
const badList = fc.constantFrom<unknown[]>(1.5, {}, true, [[]], [null], ['a', 1]);

/** Values of another type, which GraphQL refuses before the mutation is executed. */
const ofAnotherType = (...allowed: string[]) =>
  fc.oneof(
    fc.string({ maxLength: 20 }).filter((text) => !allowed.includes(text)),
    fc.double({ noInteger: true, noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom({}, { a: 1 }, [[]], true),
  );
const badEnum = ofAnotherType('OTHER');
const badBoolean = fc.oneof(fc.string(), fc.integer(), fc.constantFrom({}, [[]]));
const badReasons = fc.oneof(
  fc.constantFrom([null], ['NO_SUCH_REASON'], 'no list'),
  fc.array(fc.string({ minLength: 1, maxLength: 10 }), { minLength: 1, maxLength: 3 }),
);
const badId = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.base64String({ minLength: 4, maxLength: 60 }),
  fc.uuid().map((id) => Buffer.from(`VkycUser:${id}`).toString('base64url')),
  fc.uuid().map((id) => Buffer.from(`VkycSession:${id}`).toString('base64url')),
);

type Mutation = Parameters<Person['act']>[0];
interface Case {
  readonly mutation: Mutation;
  readonly who: Person;
  /** Starts a session in which only a bad input is refused. Returns its id. */
  readonly ready: (verificationId: string) => Promise<string>;
  readonly good: object;
  readonly bad: Readonly<Record<string, fc.Arbitrary<unknown>>>;
  /** Values that are refused by GraphQL itself. */
  readonly mistyped: Readonly<Record<string, fc.Arbitrary<unknown>>>;
}

const waiting = async (verificationId: string) =>
  (await sessionAt(gateway, verificationId, 'USER_DROPPED_OFF')).id;
const ended = async (verificationId: string) =>
  (await sessionAt(gateway, verificationId, 'USER_ENDED_CALL')).id;

const REVIEW = {
  bad: { remarks: badText(2000), customerMessage: badText(500) },
  mistyped: {
    decision: badEnum,
    reasons: badReasons,
    callComplete: badBoolean,
  },
};

const CASES: readonly Case[] = [
  {
    mutation: 'closeSession',
    who: olga,
    ready: waiting,
    good: { outcome: 'FAILED', reason: 'TECHNICAL', note: 'No line.' },
    bad: { note: badText(2000) },
    mistyped: { outcome: badEnum, reason: badEnum },
  },
  {
    mutation: 'addNote',
    who: olga,
    ready: waiting,
    good: { note: 'He called.' },
    bad: { note: badRequiredText(2000) },
    mistyped: {},
  },
  {
    mutation: 'escalateSession',
    who: ravi,
    ready: waiting,
    good: { reason: 'COMPLAINT', note: 'He is angry.' },
    bad: { note: badText(2000) },
    mistyped: { reason: badEnum },
  },
  {
    mutation: 'resolveEscalation',
    who: olga,
    async ready(verificationId) {
      const id = await waiting(verificationId);
      await ravi.act('escalateSession', id, { reason: 'TECHNICAL' });
      return id;
    },
    good: { note: 'A power cut.' },
    bad: { note: badRequiredText(2000) },
    mistyped: {},
  },
  {
    mutation: 'resolveDispute',
    who: dev,
    async ready(verificationId) {
      const { id } = await sessionAt(gateway, verificationId, 'AUDITOR_REJECTED');
      await report(gateway, verificationId, 'AUDITOR_APPROVED');
      await settled(gateway);
      return id;
    },
    good: { resolution: 'KEEP_OURS', note: 'Forged papers.' },
    bad: { note: badRequiredText(2000) },
    mistyped: { resolution: badEnum, expectedSubStatus: badEnum },
  },
  {
    mutation: 'scheduleMeeting',
    who: olga,
    ready: ended,
    good: { startsAt: inMinutes(30), reason: 'The call broke off.' },
    bad: { reason: badRequiredText(500) },
    mistyped: { startsAt: fc.oneof(fc.string({ maxLength: 20 }), fc.boolean()) },
  },
  {
    mutation: 'recordAgentReview',
    who: ravi,
    ready: ended,
    good: { decision: 'REJECTED', reasons: ['FACE_MISMATCH'], remarks: 'Not she.', callComplete: true },
    ...REVIEW,
  },
  {
    mutation: 'recordAuditorReview',
    who: uma,
    async ready(verificationId) {
      const { id } = await sessionAt(gateway, verificationId, 'AGENT_ENDED_CALL');
      await ravi.act('recordAgentReview', id, { decision: 'APPROVED' });
      return id;
    },
    good: { decision: 'REJECTED', reasons: ['DOCUMENT_DOUBTED'], remarks: 'A copy.' },
    bad: REVIEW.bad,
    mistyped: { decision: badEnum, reasons: REVIEW.mistyped.reasons },
  },
  {
    mutation: 'labelSession',
    who: ravi,
    ready: waiting,
    good: { addTags: ['vip'], metadata: [{ key: 'branch', value: 'Pune' }] },
    bad: {
      addTags: badLabel(MAX_LABEL_LENGTH.tag).map((tag) => [tag]),
      removeTags: badLabel(MAX_LABEL_LENGTH.tag).map((tag) => [tag]),
      metadata: badLabel(MAX_LABEL_LENGTH.key).map((key) => [{ key, value: 'Pune' }]),
    },
    mistyped: { addTags: badList, removeTags: badList, metadata: badList },
  },
  {
    mutation: 'assignAgent',
    who: olga,
    ready: waiting,
    good: { agent: 'ravi', until: inMinutes(30) },
    bad: { agent: badKey },
    mistyped: { until: fc.oneof(fc.string({ maxLength: 20 }), fc.boolean()) },
  },
  {
    mutation: 'unassignAgent',
    who: olga,
    async ready(verificationId) {
      const id = await waiting(verificationId);
      await olga.act('assignAgent', id, { agent: 'ravi' });
      return id;
    },
    good: {},
    bad: {},
    mistyped: {},
  },
];

/** Returns the number of rows in each table that a mutation may write to. */
async function countRows(): Promise<object> {
  const tables = ['status_transition', 'annotation', 'meeting', 'review', 'audit_entry', 'idempotency_key'];
  const counts = tables.map((table) => `(select count(*)::int from ${table}) as ${table}`);
  return (await gateway.database.query(`select ${counts.join(', ')}`)).rows[0];
}

const pathsOf = ({ problems = [] }: any): string[] => problems.map(({ path }: any) => path[0]);

describe.each(CASES.map((each) => [each.mutation, each] as const))('%s', (_name, each) => {
  const { mutation, who, ready, good, bad, mistyped } = each;

  test('refuses generated bad values under the path of their field, records nothing, and then accepts a good input', async () => {
    const id = await ready(`bad.${mutation}`);
    const before = await countRows();
    const fields = { idempotencyKey: badKey, expectedVersion: badVersion, ...bad };

    for (const [field, values] of Object.entries(fields))
      await fc.assert(
        fc.asyncProperty(values, async (value) => {
          const refused = await who.act(mutation, id, { ...good, [field]: value });
          expect(refused, JSON.stringify(refused)).toMatchObject({
            __typename: 'InvalidInputError',
            code: 'INVALID_INPUT',
            retryable: false,
          });
          expect(pathsOf(refused)).toEqual([field]);
        }),
        RUNS,
      );
    for (const [field, values] of Object.entries(mistyped))
      await fc.assert(
        fc.asyncProperty(values, async (value) => {
          const refused = await who.act(mutation, id, { ...good, [field]: value });
          expect(refused.errors?.length, JSON.stringify(refused)).toBeGreaterThan(0);
          for (const { message, extensions } of refused.errors)
            expect([extensions.code, message]).toEqual([
              'BAD_USER_INPUT',
              expect.stringContaining(`"input.${field}`),
            ]);
        }),
        RUNS,
      );
    await fc.assert(
      fc.asyncProperty(badId, async (sessionId) => {
        const refused = await who.act(mutation, id, { ...good, sessionId });
        const code = refused.errors?.[0].extensions.code ?? refused.code;
        expect(['BAD_USER_INPUT', 'INVALID_INPUT', 'NOT_FOUND'], JSON.stringify(refused)).toContain(code);
      }),
      RUNS,
    );
    const { version } = await who.look(id);
    expect(await who.act(mutation, id, { ...good, expectedVersion: version + 1 })).toMatchObject({
      __typename: 'ConflictError',
      code: 'VERSION_CONFLICT',
    });
    expect(await countRows()).toEqual(before);

    const done = await who.act(mutation, id, { ...good, expectedVersion: version });
    expect(done.__typename, JSON.stringify(done)).toMatch(/Success$/);
  });
});

test('claimNext refuses generated bad values under the path of their field, takes no session, and then gives one', async () => {
  const id = await ended('bad.claimNext');
  const before = await countRows();
  const claim = (input: object) =>
    ravi.query(
      `mutation ($input: ClaimNextInput!) { result: claimNext(input: $input) {
        __typename ... on InvalidInputError { problems { path } } ... on ClaimNextSuccess { session { id } } } }`,
      { input: { queue: 'AGENT', idempotencyKey: randomUUID(), ...input } },
    );
  const badLanguage = fc.oneof(fc.constantFrom('hindi', 'und', 'hi_IN', '', 'x-y'), badText(35));
  const bad = { idempotencyKey: badKey, languages: badLanguage.map((tag) => ['hi', tag]) };

  for (const [field, values] of Object.entries(bad))
    await fc.assert(
      fc.asyncProperty(values, async (value) => {
        const refused = await claim({ [field]: value });
        expect(pathsOf(refused), JSON.stringify(refused)).toEqual([field]);
      }),
      RUNS,
    );
  for (const [field, values] of Object.entries({ queue: badEnum, languages: badList }))
    await fc.assert(
      fc.asyncProperty(values, async (value) => {
        const refused = await claim({ [field]: value });
        expect(refused.errors?.[0].extensions.code, JSON.stringify(refused)).toBe('BAD_USER_INPUT');
      }),
      RUNS,
    );

  expect(await countRows()).toEqual(before);
  const given = await claim({});
  expect(given.__typename).toBe('ClaimNextSuccess');
  expect((await ravi.look(id)).id).toBe(id);
});

test.each([
  ['a reason twice', { reasons: ['FACE_MISMATCH', 'FACE_MISMATCH'] }, 'reasons'],
  ['OTHER without remarks', { reasons: ['OTHER'], remarks: null }, 'remarks'],
  ['no reason and no remarks', { reasons: [], remarks: null }, 'remarks'],
  ['an approval of a prompted customer', { decision: 'APPROVED', reasons: ['CUSTOMER_PROMPTED'] }, 'reasons'],
  ['an incomplete call that was complete', { reasons: ['CALL_INCOMPLETE'], callComplete: true }, 'reasons'],
])('a review with %s is refused under the path of the field', async (what, input, path) => {
  const id = await ended(`review.${what.replaceAll(' ', '-')}`);
  const call = { decision: 'REJECTED', remarks: 'No.', callComplete: true, ...input };

  expect(pathsOf(await ravi.act('recordAgentReview', id, call))).toEqual([path]);
  expect(await ravi.look(id)).toMatchObject({ subStatus: 'USER_ENDED_CALL', reviews: [] });
});

test('a start with a generated bad replacesSessionId is refused under its path or as bad user input, and starts nothing', async () => {
  const sessions = async () =>
    (await gateway.database.query('select count(*)::int as count from start_intent')).rows;
  const before = await sessions();

  await fc.assert(
    fc.asyncProperty(badId, async (replacesSessionId) => {
      const refused = await olga.start({
        verificationId: `never.${randomUUID()}`,
        user: { phone: '9988776655' },
        replacesSessionId,
      });
      if (refused.errors) expect(refused.errors[0].extensions.code).toBe('BAD_USER_INPUT');
      else expect(pathsOf(refused), JSON.stringify(refused)).toEqual(['replacesSessionId']);
    }),
    { numRuns: 20 },
  );

  expect(await sessions()).toEqual(before);
});

test('generated texts in any script are kept as they were sent: in notes, closures, escalations, disputes, reviews and meetings', async () => {
  const text = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 60 })
    .map((each) => `x${each}`)
    .filter((each) => each.isWellFormed() && !each.includes('\0'));
  const id = await waiting('kept.1');
  await fc.assert(
    fc.asyncProperty(text, async (note) => {
      const added = await olga.act('addNote', id, { note });
      expect(added.note?.text, JSON.stringify(added)).toBe(note);
      const escalated = await ravi.act('escalateSession', id, { reason: 'OTHER', note });
      const resolved = await ravi.act('resolveEscalation', id, { note });
      expect([escalated.escalation.note, resolved.escalation.resolution]).toEqual([note, note]);
      const { id: reviewed } = await sessionAt(gateway, `kept.${randomUUID()}`, 'AGENT_ENDED_CALL');
      const words = { remarks: note, customerMessage: note };
      const review = await ravi.act('recordAgentReview', reviewed, { decision: 'REJECTED', ...words });
      expect(review.review).toMatchObject(words);
      const closed = await olga.act('closeSession', reviewed, { outcome: 'REJECTED', reason: 'OTHER', note });
      expect(closed.closure.note).toBe(note);
    }),
    RUNS,
  );
});

test('after all of them, every audit chain verifies, and no internal error was logged', async () => {
  await expectSound(gateway);
  expect(gateway.logs.filter((line) => line.includes('"level":50'))).toEqual([]);
});
