/** Reasons, the customer's text and the completeness of the call in a review, as staff and as the customer see them. */
import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { getCustomerMessageSealingContext } from '../../src/db/sessions/reviews.ts';
import { getAgentRemarksSealingContext } from '../../src/db/sessions/sessions.ts';
import { AuditKeyring } from '../../src/domain/audit.ts';
import { Sealer } from '../../src/encryption/sealing.ts';
import { readVerifiedArchive } from '../../src/services/retention/archive-file.ts';
import { sessionAt } from '../harness/acting.ts';
import { emptyFolder, endedLongAgo, run } from '../harness/archives.ts';
import { auditOf } from '../harness/audit.ts';
import { AUDIT_KEYS, bootGateway, DATA_KEYS, eventually, type Gateway } from '../harness/gateway.ts';
import { person } from '../harness/people.ts';
import { everyRow, webhooksSettled } from '../harness/rows.ts';

const AS_A_CUSTOMER_READS = `query ($id: ID!, $locale: Locale!) { result: session(id: $id) {
  reviews { decision reasons reasonTexts(locale: $locale) customerMessage remarks reviewer callComplete } } }`;

const parseKey = (setting: string) => {
  const [id, key] = setting.split(':') as [string, string];
  return { id, key: Buffer.from(key, 'base64') };
};
const sealer = new Sealer([parseKey(DATA_KEYS)]);
const keyOf = (id: string) => Buffer.from(id, 'base64url').toString().replace('VkycSession:', '');

async function boot() {
  const gateway = await bootGateway();
  const [agent, auditor] = await Promise.all([
    person(gateway, 'ravi', 'AGENT'),
    person(gateway, 'uma', 'AUDITOR'),
  ]);
  return { gateway, agent, auditor };
}

/** Returns the reviews of a session as its customer reads them. */
async function readByCustomer(gateway: Gateway, verificationId: string, id: string, locale: string) {
  const token = await gateway.token({ sub: 'asha', roles: ['CUSTOMER'], verification_ids: [verificationId] });
  const headers = { authorization: `Bearer ${token}` };
  const { data, errors } = await gateway.graphql(AS_A_CUSTOMER_READS, { id, locale }, headers);
  expect(errors).toBeUndefined();
  return data.result.reviews;
}

describe('a rejection', () => {
  const REJECTION = {
    decision: 'REJECTED',
    reasons: ['NAME_MISMATCH', 'CUSTOMER_PROMPTED'],
    remarks: 'Her brother whispered to her.',
    customerMessage: 'Asha, please bring your passport.',
  };

  test('a rejection shows its reason codes and remarks to staff, and a text for each reason and the message to the customer', async () => {
    const { gateway, agent } = await boot();
    const { id } = await sessionAt(gateway, 'rejected.1', 'AGENT_ENDED_CALL');
    const { startCursor } = (await gateway.graphql(`{ session(id: "${id}") { startCursor } }`)).data.session;
    const watcher = gateway.subscribe(
      `subscription ($id: ID!, $after: String!) { statusTransitions(sessionId: $id, after: $after) {
         subStatus actor session { reviews { reasons reasonTexts } } } }`,
      { id, after: startCursor },
    );
    await watcher.take((await agent.look(id)).version);
    expect((await agent.look(id)).availableActions).toContain('RECORD_AGENT_REVIEW');

    const done = await agent.act('recordAgentReview', id, REJECTION);

    expect(done).toMatchObject({
      __typename: 'RecordReviewSuccess',
      review: { ...REJECTION, callComplete: null, reviewer: 'ravi' },
      session: { subStatus: 'AGENT_REJECTED' },
    });
    expect(done.session.availableActions).not.toContain('RECORD_AGENT_REVIEW');
    const english = [
      'Your name differs from the name on your document.',
      'Please take the video call alone, and answer the questions in your own words.',
    ];
    expect(await watcher.next()).toMatchObject({
      subStatus: 'AGENT_REJECTED',
      actor: 'ravi',
      session: { reviews: [{ reasons: REJECTION.reasons, reasonTexts: english }] },
    });
    const seen = {
      decision: 'REJECTED',
      reasons: ['NAME_MISMATCH', 'OTHER'],
      customerMessage: REJECTION.customerMessage,
      ...{ remarks: null, reviewer: null, callComplete: null },
    };
    expect(await readByCustomer(gateway, 'rejected.1', id, 'EN')).toEqual([
      { ...seen, reasonTexts: english },
    ]);
    expect(await readByCustomer(gateway, 'rejected.1', id, 'HI')).toEqual([
      {
        ...seen,
        reasonTexts: [
          'आपका नाम आपके दस्तावेज़ में लिखे नाम से अलग है।',
          'कृपया वीडियो कॉल के समय अकेले रहें और सवालों के जवाब अपने शब्दों में दें।',
        ],
      },
    ]);
  });

  test('the message and remarks of a rejection are in no row, log line or frame in plain text, and reads of both are recorded', async () => {
    const { gateway, agent } = await boot();
    const { id } = await sessionAt(gateway, 'secret.1', 'AGENT_ENDED_CALL');
    await agent.act('recordAgentReview', id, REJECTION);
    await readByCustomer(gateway, 'secret.1', id, 'EN');

    const rows = await everyRow(gateway.database);
    for (const text of [REJECTION.remarks, REJECTION.customerMessage]) {
      for (const form of [text, Buffer.from(text).toString('hex')]) expect(rows).not.toContain(form);
      expect(gateway.logs.join('')).not.toContain(text);
    }
    const { rows: reads } = await gateway.database.query(
      `select fields from personal_data_read where viewer like 'customer:%'`,
    );
    expect(reads).toEqual([{ fields: ['Review.customerMessage'] }]);
    const refused = gateway
      .subscribe(
        `subscription ($id: ID!) { sessionLive(sessionId: $id) { ... on SessionSnapshot {
           session { reviews { customerMessage } } } } }`,
        { id },
      )
      .next();
    await expect(refused).rejects.toThrow('Personal data cannot be selected in subscriptions');
  });

  test('a reason code of a rejection that reveals a suspicion is in the frames of staff, but not in those of the customer', async () => {
    const { gateway, agent } = await boot();
    const { id } = await sessionAt(gateway, 'framed.1', 'AGENT_ENDED_CALL');
    await agent.act('recordAgentReview', id, REJECTION);
    const tokenOf = async (roles: string[]) =>
      gateway.token({ sub: 'somebody', roles, verification_ids: ['framed.1'] });
    const firstFrame = async (roles: string[]) =>
      (
        await gateway
          .subscribe(
            `subscription ($id: ID!) { sessionLive(sessionId: $id) { ... on SessionSnapshot {
               session { reviews { reasons callComplete } } } } }`,
            { id },
            { authorization: `Bearer ${await tokenOf(roles)}` },
          )
          .next()
      ).session.reviews[0].reasons;

    expect(await firstFrame(['VIEWER'])).toEqual(['NAME_MISMATCH', 'CUSTOMER_PROMPTED']);
    expect(await firstFrame(['CUSTOMER'])).toEqual(['NAME_MISMATCH', 'OTHER']);
  });

  test("a rejection by an auditor has reasons and a message of its own, next to those of the agent's review", async () => {
    const { gateway, agent, auditor } = await boot();
    const { id } = await sessionAt(gateway, 'audited.1', 'AGENT_ENDED_CALL');
    await agent.act('recordAgentReview', id, { decision: 'APPROVED', reasons: ['NAME_MISMATCH'] });

    const done = await auditor.act('recordAuditorReview', id, {
      decision: 'REJECTED',
      reasons: ['DOCUMENT_DOUBTED'],
      customerMessage: 'Visit a branch.',
    });

    expect(done.session).toMatchObject({
      subStatus: 'AUDITOR_REJECTED',
      reviews: [
        { decision: 'APPROVED', reasons: ['NAME_MISMATCH'], reasonTexts: [], customerMessage: null },
        {
          decision: 'REJECTED',
          reasons: ['DOCUMENT_DOUBTED'],
          reasonTexts: ['We could not confirm the details of your document.'],
          customerMessage: 'Visit a branch.',
        },
      ],
    });
  });

  test('a rejection that was made at the provider has no reasons, texts or message', async () => {
    const { gateway, agent } = await boot();
    const { id } = await gateway.start('theirs.1');
    const data = { verification_id: 'theirs.1', status: 'AGENT_REVIEWED', sub_status: 'AGENT_REJECTED' };
    await gateway.webhook({ event_time: new Date(Date.now() + 60_000).toISOString(), data });
    await eventually(async () => (await agent.look(id)).reviews.length === 1);

    expect((await agent.look(id)).reviews).toMatchObject([
      { source: 'WEBHOOK', reasons: [], reasonTexts: [], customerMessage: null, callComplete: null },
    ]);
  });
});

describe('a call that the customer ended', () => {
  const UNSTATED =
    'The customer ended the call: it can be approved only with your statement that it was complete (`callComplete: true`).';

  test('a call that the customer ended can be approved only with `callComplete: true`, and is then audited like any other call', async () => {
    const { gateway, agent, auditor } = await boot();
    const { id } = await sessionAt(gateway, 'complete.1', 'USER_ENDED_CALL');
    const { version, availableActions } = await agent.look(id);
    expect(availableActions).toContain('RECORD_AGENT_REVIEW');

    for (const [statement, message] of [
      [{}, UNSTATED],
      [{ callComplete: null }, UNSTATED],
      [{ callComplete: false }, 'You stated that the call was not complete, so it cannot be approved.'],
    ] as const)
      expect(await agent.act('recordAgentReview', id, { decision: 'APPROVED', ...statement })).toMatchObject({
        __typename: 'ActionNotAllowedError',
        action: 'RECORD_AGENT_REVIEW',
        message,
        session: { version, reviews: [] },
      });
    const approved = await agent.act('recordAgentReview', id, {
      decision: 'APPROVED',
      callComplete: true,
      expectedVersion: version,
    });
    const final = await auditor.act('recordAuditorReview', id, { decision: 'APPROVED' });

    expect(approved).toMatchObject({
      review: { callComplete: true },
      session: { subStatus: 'AGENT_APPROVED' },
    });
    expect(final.session).toMatchObject({
      subStatus: 'AUDITOR_APPROVED',
      reviews: [{ callComplete: true }, { callComplete: null }],
    });
    expect(await auditOf(gateway.databaseUrl).findingOf(keyOf(id))).toBeNull();
  });

  test.each([
    ['REJECTED', ['CALL_INCOMPLETE'], false],
    ['REJECTED', ['FACE_MISMATCH'], true],
    ['UNABLE_TO_VALIDATE', ['AUDIO_OR_VIDEO_POOR'], false],
  ])(
    'after a call that the customer ended, the decision %s for %j needs a value of callComplete, such as %s',
    async (decision, reasons, callComplete) => {
      const { gateway, agent } = await boot();
      const { id } = await sessionAt(gateway, 'stated.1', 'USER_ENDED_CALL');

      expect(await agent.act('recordAgentReview', id, { decision, reasons })).toMatchObject({
        code: 'ACTION_NOT_ALLOWED',
        message: 'The customer ended the call: state whether it was complete (`callComplete`).',
      });
      expect(await agent.act('recordAgentReview', id, { decision, reasons, callComplete })).toMatchObject({
        review: { decision, reasons, callComplete, remarks: null },
      });
    },
  );
});

describe('clients of the last release', () => {
  test('clients of the last release can reject with remarks alone, also after a call that the customer ended; the reason is recorded as OTHER', async () => {
    const { gateway, agent } = await boot();
    for (const by of ['AGENT_ENDED_CALL', 'USER_ENDED_CALL'] as const)
      for (const decision of ['REJECTED', 'UNABLE_TO_VALIDATE']) {
        const { id } = await sessionAt(gateway, `last.${by}.${decision}`, by);

        expect(await agent.act('recordAgentReview', id, { decision, remarks: 'Blurred.' })).toMatchObject({
          __typename: 'RecordReviewSuccess',
          review: {
            decision,
            remarks: 'Blurred.',
            reasons: ['OTHER'],
            customerMessage: null,
            callComplete: null,
          },
        });
        expect(await readByCustomer(gateway, `last.${by}.${decision}`, id, 'EN')).toMatchObject([
          { reasons: ['OTHER'], reasonTexts: ['We could not verify your identity.'], remarks: null },
        ]);
      }
  });

  test('a repeated review of a client of the last release is recognised, because the input has the same hash as in that release', async () => {
    const { gateway, agent } = await boot();
    const { id } = await sessionAt(gateway, 'repeated.1', 'AGENT_ENDED_CALL');
    const call = { idempotencyKey: randomUUID(), decision: 'REJECTED', remarks: 'Blurred.' };
    await agent.act('recordAgentReview', id, call);

    const again = await agent.act('recordAgentReview', id, { ...call, reasons: null, customerMessage: null });

    expect(again).toMatchObject({ __typename: 'RecordReviewSuccess', replayed: true });
    const { rows } = await gateway.database.query('select input_hash from idempotency_key where key = $1', [
      call.idempotencyKey,
    ]);
    const asBefore = JSON.stringify({ sessionId: keyOf(id), ...call });
    expect(sealer.verifyHash(rows[0].input_hash, asBefore)).toBe(true);
  });
});

test('a review with a used idempotency key returns the first review, or a conflict if its reasons, message or callComplete differ', async () => {
  const { gateway, agent } = await boot();
  const { id } = await sessionAt(gateway, 'replayed.1', 'AGENT_ENDED_CALL');
  const call = {
    idempotencyKey: randomUUID(),
    decision: 'REJECTED',
    reasons: ['FACE_MISMATCH'],
    customerMessage: 'A.',
  };
  const { review } = await agent.act('recordAgentReview', id, call);

  expect(await agent.act('recordAgentReview', id, call)).toMatchObject({ replayed: true, review });
  for (const other of [{ reasons: ['NAME_MISMATCH'] }, { customerMessage: 'B.' }, { callComplete: false }])
    expect(await agent.act('recordAgentReview', id, { ...call, ...other })).toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
    });
});

test('of 20 concurrent reviews on two replicas, one takes effect', async () => {
  const { gateway: one, agent } = await boot();
  const two = await bootGateway({
    database: one.databaseUrl,
    environment: {
      CASHFREE_BASE_URL: one.sandboxUrl,
      CASHFREE_CLIENT_ID: 'sandbox',
      CASHFREE_CLIENT_SECRET: 'sandbox',
    },
  });
  const there = await person(two, 'meera', 'AGENT');
  const { id } = await sessionAt(one, 'raced.1', 'USER_ENDED_CALL');

  const results = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      (index % 2 ? agent : there).act('recordAgentReview', id, {
        decision: 'REJECTED',
        reasons: ['CALL_INCOMPLETE'],
        callComplete: false,
        customerMessage: `Call ${index}.`,
      }),
    ),
  );

  const won = results.filter((each) => each.__typename === 'RecordReviewSuccess');
  expect(won).toHaveLength(1);
  expect((await agent.look(id)).reviews).toMatchObject([{ customerMessage: won[0].review.customerMessage }]);
  expect(await auditOf(one.databaseUrl).findingOf(keyOf(id))).toBeNull();
});

test('contradictory input of a review is refused with the path of each problem, and records nothing', async () => {
  const { gateway, agent, auditor } = await boot();
  const { id } = await sessionAt(gateway, 'refused.1', 'AGENT_ENDED_CALL');
  const NEEDS_REMARKS =
    'must not be empty if a reason is OTHER, or if a decision other than APPROVED has no reasons';
  const NOT_WITH_APPROVAL =
    'must not contain any of FACE_MISMATCH, LIVENESS_DOUBTED, CUSTOMER_PROMPTED, DOCUMENT_UNREADABLE, DOCUMENT_DOUBTED, QUESTIONS_FAILED, CALL_INCOMPLETE if the decision is APPROVED';
  const problem = (path: string, message: string) => ({ path: [path], message });

  for (const [input, ...problems] of [
    [{ decision: 'REJECTED' }, problem('remarks', NEEDS_REMARKS)],
    [{ decision: 'UNABLE_TO_VALIDATE', reasons: [] }, problem('remarks', NEEDS_REMARKS)],
    [{ decision: 'REJECTED', reasons: ['OTHER'], remarks: '' }, problem('remarks', NEEDS_REMARKS)],
    [
      { decision: 'REJECTED', reasons: ['NAME_MISMATCH', 'NAME_MISMATCH'] },
      problem('reasons', 'must not contain a reason twice'),
    ],
    [
      { decision: 'REJECTED', reasons: Array.from({ length: 13 }, () => 'NAME_MISMATCH') },
      problem('reasons', 'must not contain a reason twice'),
    ],
    [{ decision: 'APPROVED', reasons: ['CUSTOMER_PROMPTED'] }, problem('reasons', NOT_WITH_APPROVAL)],
    [
      { decision: 'REJECTED', reasons: ['CALL_INCOMPLETE'], callComplete: true },
      problem('reasons', 'must not contain CALL_INCOMPLETE if `callComplete` is true'),
    ],
    [
      { decision: 'APPROVED', customerMessage: 'x'.repeat(501) },
      problem('customerMessage', 'must have at most 500 characters'),
    ],
    [
      { decision: 'APPROVED', customerMessage: '\u200b' },
      problem('customerMessage', 'must have a visible character'),
    ],
    [
      {
        decision: 'REJECTED',
        reasons: ['OTHER', 'OTHER'],
        customerMessage: 'x'.repeat(501),
        idempotencyKey: '',
      },
      problem('idempotencyKey', 'must not be empty'),
      problem('customerMessage', 'must have at most 500 characters'),
      problem('remarks', NEEDS_REMARKS),
      problem('reasons', 'must not contain a reason twice'),
    ],
  ] as const)
    expect(await agent.act('recordAgentReview', id, input)).toMatchObject({
      __typename: 'InvalidInputError',
      problems,
    });
  expect((await agent.look(id)).reviews).toEqual([]);

  await agent.act('recordAgentReview', id, { decision: 'APPROVED' });
  expect(
    await auditor.act('recordAuditorReview', id, { decision: 'APPROVED', reasons: ['CUSTOMER_PROMPTED'] }),
  ).toMatchObject({ problems: [problem('reasons', NOT_WITH_APPROVAL)] });
  expect(
    await auditor.act('recordAuditorReview', id, { decision: 'APPROVED', callComplete: true }),
  ).toMatchObject({ errors: [{ message: expect.stringContaining('callComplete') }] });
});

test('the audit finds that reasons, a message or callComplete of a review were edited, removed or copied from another review', async () => {
  const { gateway, agent } = await boot();
  const audit = auditOf(gateway.databaseUrl);
  const edits = [
    [`reasons = '{OTHER}'`, 'reasons'],
    ['reasons = null', 'reasons'],
    ['call_complete = true', 'callComplete'],
    ['call_complete = null', 'callComplete'],
    ['customer_message = null, customer_message_salt = null', 'customerMessage'],
    [
      'customer_message = other.customer_message, customer_message_salt = other.customer_message_salt',
      'customerMessage',
    ],
  ] as const;
  const reviewed = async (verificationId: string) => {
    const { id } = await sessionAt(gateway, verificationId, 'USER_ENDED_CALL');
    await agent.act('recordAgentReview', id, {
      decision: 'REJECTED',
      reasons: ['FACE_MISMATCH', 'CALL_INCOMPLETE'],
      callComplete: false,
      customerMessage: 'Call us.',
    });
    return keyOf(id);
  };
  const other = await reviewed('other.1');
  expect(await audit.verify()).toMatchObject({ findings: [] });

  for (const [index, [edit, field]] of edits.entries()) {
    const id = await reviewed(`edited.${index}`);
    expect(await audit.findingOf(id)).toBeNull();
    await gateway.database.query(
      `update review set ${edit} from review other where review.session_id = $1 and other.session_id = $2`,
      [id, other],
    );
    expect(await audit.findingOf(id), edit).toMatch(new RegExp(`review .* was edited: ${field}$`));
  }
});

test("an archive contains a review's reasons, and its message and remarks encrypted; the audit verifies the archive", async () => {
  const { gateway } = await boot();
  await endedLongAgo(gateway, 'ended.1');
  await gateway.start('alive.1');
  await webhooksSettled(gateway.database);
  const folder = await emptyFolder();
  await run(gateway, 'retention', '--to', folder);
  const [file] = await readdir(folder);
  const archive = join(folder, file as string);

  expect(await run(gateway, 'audit', 'verify', '--archive', archive)).toContain('Verified 1 sessions');
  const archived = [];
  for await (const each of readVerifiedArchive(archive, new AuditKeyring([parseKey(AUDIT_KEYS)])))
    archived.push(each);
  const [{ session, reviews } = { session: null, reviews: [] }] = archived;
  const [, audited] = reviews;
  expect(audited?.reasons).toEqual(['FACE_MISMATCH', 'CUSTOMER_PROMPTED']);
  const open = (sealed: Buffer | null | undefined, context: string) =>
    sealer.open(sealed as Buffer, context).toString('utf8');
  expect(open(audited?.customerMessage, getCustomerMessageSealingContext(audited?.id as string))).toBe(
    'visit a branch',
  );
  expect(open(session?.agentRemarks, getAgentRemarksSealingContext(session?.id as string))).toBe(
    'she had a cold',
  );
});
