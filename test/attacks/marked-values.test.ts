/** Searches everything that the gateway emits or stores unencrypted for known values of personal data and secrets. */
import { expect, test } from 'vitest';
import { redactErrorMessage } from '../../src/graphql/redact-errors.ts';
import { bootGateway, eventually, STEPS_TO_THE_END_OF_THE_CALL } from '../harness/gateway.ts';
import { inMinutes, person } from '../harness/people.ts';
import { everyRow, webhooksSettled } from '../harness/rows.ts';
import { TRANSPORTS } from '../harness/transports.ts';

const NAME = 'marked.awaits-review';
const USER = {
  ...{ phone: '7012345678', name: 'Marked Name', email: 'marked@example.com' },
  address: 'Marked Street 7',
};
const AADHAAR = '999941057058';
const ANSWER = 'marked mother of the bride';
const REASON = 'marked reason';
const REMARKS = 'marked remarks';
const RECORDING = 'https://recordings.example.com/marked-recording';
const FORGED = 'eyJhbGciOiJIUzI1NiJ9.marked-payload.marked-signature';
const EVERYTHING = `query ($id: ID!) { session(id: $id) {
  link user { phone name email } reviews { remarks } meetings(first: 9) { nodes { cancelReason } } } }`;
const START =
  'mutation ($input: StartSessionInput!) { startSession(input: $input) { __typename ... on MutationError { code message } } }';

/** Invalid operations that contain personal data: their error messages must not repeat it. */
const MISTAKES: Record<string, { query: string; variables?: object }> = {
  'an invalid phone': {
    query: START,
    variables: { input: { verificationId: 'bad.1', user: { phone: `${USER.phone}9999` } } },
  },
  'an invalid email': {
    query: START,
    variables: { input: { verificationId: 'bad.2', user: { phone: '7099999999', email: `${USER.email}@` } } },
  },
  'an unknown field': {
    query: START,
    variables: { input: { verificationId: 'bad.3', user: { phone: USER.phone, aadhaar: AADHAAR } } },
  },
  'a value of another type': {
    query: START,
    variables: { input: { verificationId: 'bad.4', user: USER.phone } },
  },
  'a list instead of a string': {
    query: START,
    variables: { input: { verificationId: 'bad.5', user: { phone: [USER.phone] } } },
  },
  'another phone of a known user': {
    query: START,
    variables: {
      input: { verificationId: 'bad.6', user: { userId: 'u-marked', phone: '7012345679', name: USER.name } },
    },
  },
  'an invalid id': { query: `{ session(id: "${USER.email}") { id } }` },
  'a string instead of a number': {
    query: 'query ($first: Int) { sessions(first: $first) { nodes { id } } }',
    variables: { first: USER.phone },
  },
  'a string instead of an enum': {
    query: 'query ($status: [Status!]) { sessions(first: 1, filter: { status: $status }) { nodes { id } } }',
    variables: { status: [USER.name] },
  },
  'a number literal instead of a string': {
    query: `mutation { startSession(input: { verificationId: "bad.7", user: { phone: ${USER.phone} } }) { __typename } }`,
  },
  'a string literal instead of an object': {
    query: `mutation { startSession(input: { verificationId: "bad.8", user: "${USER.email}" }) { __typename } }`,
  },
  'a string instead of a name (syntax error)': { query: `{ session("${USER.name}") { id } }` },
  'an invalid cursor': { query: `{ sessions(first: 1, after: "${USER.email}") { nodes { id } } }` },
};

test('personal data and secrets appear in no header, log, metric, error message, notification or plaintext row', {
  timeout: 60_000,
}, async () => {
  const gateway = await bootGateway({ polling: true });
  const listener = await gateway.database.connect();
  const rings: string[] = [];
  listener.on('notification', ({ channel, payload }) => rings.push(`${channel} ${payload}`));
  const { rows: channels } = await gateway.database.query<{ channel: string }>(
    `select distinct substring(query from '(?i)^listen (.*)$') as channel from pg_stat_activity
     where datname = current_database() and query ilike 'listen %'`,
  );
  expect(channels).not.toHaveLength(0);
  for (const { channel } of channels) await listener.query(`listen ${channel}`);

  const { id } = await gateway.start(NAME, { user: { userId: 'u-marked', ...USER, address: undefined } });
  const [agent, auditor] = [await person(gateway, 'ravi', 'AGENT'), await person(gateway, 'uma', 'AUDITOR')];
  await agent.act('scheduleMeeting', id, { startsAt: inMinutes(30) });
  await agent.act('cancelMeeting', id, { reason: REASON });
  await gateway.advance(NAME, STEPS_TO_THE_END_OF_THE_CALL);
  await eventually(async () => (await agent.look(id)).availableActions.includes('RECORD_AGENT_REVIEW'));
  const { recording } = await agent.ask('requestRecording', id);
  const sdk = await (await person(gateway, 'olga', 'OPERATOR')).ask('createSdkToken', id);
  await agent.act('recordAgentReview', id, { decision: 'APPROVED', remarks: REMARKS });
  await auditor.act('recordAuditorReview', id, { decision: 'REJECTED', remarks: REMARKS });
  const known = { ...USER, aadhaar: AADHAAR, security_answer: ANSWER, recording_link: RECORDING };
  const late = { verification_id: NAME, status: 'VIDEO_CALL', sub_status: 'AGENT_ENDED_CALL' };
  const event_time = new Date().toISOString();
  await gateway.webhook({ event_time, data: { ...late, ...known } });
  await gateway.webhook({ event_time, data: { ...late, ...known, verification_id: 'stranger.1' } });
  await gateway.webhook({ data: known });
  await gateway.webhook({ event_time, data: { ...known, status: AADHAAR } });
  await gateway.webhook({ event_time, data: known }, { 'x-webhook-signature': `${ANSWER}` });
  await webhooksSettled(gateway.database);

  const bearer = await gateway.token({ sub: 'asha', roles: ['ADMIN'] });
  for (const token of [bearer, `${bearer}x`, FORGED])
    for (const send of Object.values(TRANSPORTS))
      await send(gateway, { query: EVERYTHING, variables: { id } }, `Bearer ${token}`).catch(() => {});
  await gateway.graphql(EVERYTHING, { id }, { authorization: `Basic ${FORGED}` });

  const { data } = await gateway.graphql(EVERYTHING, { id }, { authorization: `Bearer ${bearer}` });
  const secrets = [recording.url, sdk.token, ...bearer.split('.').slice(1), FORGED, 'marked-signature'];
  for (const secret of secrets) expect(secret).toMatch(/.{10}/);
  const marks = [...Object.values(known), REASON, REMARKS, data.session.link, ...secrets];
  for (const mark of [USER.phone, USER.name, USER.email, REASON, REMARKS])
    expect(JSON.stringify(data), 'the marks are in the allowed response').toContain(mark);
  const refusals: Record<string, unknown> = {};
  for (const [what, { query, variables }] of Object.entries(MISTAKES)) {
    const answer = await gateway.graphql(query, variables);
    expect(JSON.stringify(answer), what).toMatch(/"code":"/);
    refusals[what] = answer;
  }
  const scraped = await fetch(`${gateway.url}/metrics`);
  expect(rings).not.toHaveLength(0);
  const emitted: Record<string, string> = {
    headers: gateway.headers.join('\n'),
    logs: gateway.logs.join(''),
    metrics: await scraped.text(),
    rings: rings.join('\n'),
    rows: await everyRow(gateway.database),
    ...Object.fromEntries(
      Object.entries(refusals).map(([what, answer]) => [`the refusal of ${what}`, JSON.stringify(answer)]),
    ),
  };
  listener.release(true);

  for (const [where, text] of Object.entries(emitted)) {
    expect(text.length, where).toBeGreaterThan(0);
    for (const mark of marks) {
      const digits = Buffer.from(mark).toString('hex');
      expect(text.includes(mark) || text.includes(digits), `${where} contain ${mark}`).toBe(false);
    }
  }
});

test('removing values from an error message takes less than 1 s for adversarial values (ReDoS)', () => {
  const fillers = ['a', ' at "a', ' at "a"; ', '; X cannot represent ', 'String "', 'Expected type "a"'];
  const guessing = 'does not exist in "a" enum. Did you mean ';
  for (const filler of [...fillers, guessing]) {
    const value = filler.repeat(1_000_000 / filler.length);
    const begun = performance.now();
    redactErrorMessage(
      `Variable "$a" got invalid value "${value}" at "a.b"; String cannot represent value: "${value}"`,
    );
    redactErrorMessage(`Syntax Error: Unexpected String "${value}".`);
    redactErrorMessage(value);
    expect(performance.now() - begun, filler).toBeLessThan(1_000);
  }
});
