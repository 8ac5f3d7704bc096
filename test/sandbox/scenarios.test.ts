import { expect, test } from 'vitest';
import { PROVIDER_PAIRS } from '../../src/domain/status.ts';
import { bootSandbox } from './harness.ts';

/**
 * Scenarios and the status pairs that they reach, copied from the provider's reference to check the project's
 * own table.
 */
const REACHED_BY = {
  'happy-path': `RECEIVED LINK_GENERATED
    PRE_VIDEO_CALL AADHAAR_VERIFICATION_SUCCESS
    PRE_VIDEO_CALL USER_IP_VERIFICATION_SUCCESSFUL
    PRE_VIDEO_CALL USER_LOCATION_VERIFICATION_SUCCESS
    PRE_VIDEO_CALL USER_DEVICE_CHECK_SUCCESS
    PRE_VIDEO_CALL USER_QUEUED
    PRE_VIDEO_CALL NO_AGENT_FOUND
    PRE_VIDEO_CALL USER_MEETING_SCHEDULED
    PRE_VIDEO_CALL SCHEDULED_USER_QUEUED
    PRE_VIDEO_CALL AGENT_ASSIGNED_TO_USER
    VIDEO_CALL USER_ACCEPTED_MEETING
    VIDEO_CALL AGENT_ENDED_CALL
    AGENT_REVIEWED AGENT_APPROVED
    AUDITOR_REVIEWED AUDITOR_APPROVED`,
  'insufficient-balance': 'REJECTED INSUFFICIENT_BALANCE',
  'aadhaar-failed': 'PRE_VIDEO_CALL AADHAAR_VERIFICATION_FAILED',
  'aadhaar-expired': 'PRE_VIDEO_CALL AADHAAR_VERIFICATION_EXPIRED',
  'proxy-detected': 'PRE_VIDEO_CALL USER_PROXY_DETECTED',
  'outside-india': 'PRE_VIDEO_CALL USER_LOCATION_OUTSIDE_INDIA',
  'location-denied': 'PRE_VIDEO_CALL USER_LOCATION_PERMISSION_DISABLED',
  'microphone-off': 'PRE_VIDEO_CALL USER_AUDIO_CHECK_FAILED',
  'camera-off': 'PRE_VIDEO_CALL USER_VIDEO_CHECK_FAILED',
  'technical-failure': 'PRE_VIDEO_CALL TECHNICAL_FAILURE',
  'no-agent': 'PRE_VIDEO_CALL NO_AGENT_FOUND',
  'meeting-cancelled': 'PRE_VIDEO_CALL USER_MEETING_CANCELLED',
  'meeting-rejected': 'VIDEO_CALL USER_REJECTED_MEETING',
  'meeting-missed': 'VIDEO_CALL USER_MISSED_MEETING',
  'user-drops-off': 'VIDEO_CALL USER_DROPPED_OFF',
  'agent-drops-off': 'VIDEO_CALL AGENT_DROPPED_OFF',
  'user-ends-call': 'VIDEO_CALL USER_ENDED_CALL',
  'agent-rejects': 'AGENT_REVIEWED AGENT_REJECTED',
  'unable-to-validate': 'AGENT_REVIEWED AGENT_UNABLE_TO_VALIDATE',
  'auditor-rejects': 'AUDITOR_REVIEWED AUDITOR_REJECTED',
  'technical-error': 'FAILED TECHNICAL_ERROR',
  'link-expires': 'EXPIRED VKYC_EXPIRED',
};
const ENDS = {
  'happy-path': 'AUDITOR_REVIEWED AUDITOR_APPROVED',
  'insufficient-balance': 'REJECTED INSUFFICIENT_BALANCE',
  'agent-rejects': 'AGENT_REVIEWED AGENT_REJECTED',
  'auditor-rejects': 'AUDITOR_REVIEWED AUDITOR_REJECTED',
  'link-expires': 'EXPIRED VKYC_EXPIRED',
};

const AADHAAR = {
  name: 'Asha Rao',
  dob: '02-02-1995',
  gender: 'F',
  care_of: 'Ravi Rao',
  photo_link: 'https://example.com/asha.jpg',
  last_verified_at: '2026-03-01T15:04:05Z',
  split_address: {
    country: 'India',
    dist: 'Bengaluru',
    house: '7',
    pincode: 560001,
    state: 'Karnataka',
    street: 'MG Road',
  },
};

test("every documented status pair is reached by a sandbox scenario, which then ends or continues to the agent's review", async () => {
  const client = await bootSandbox();
  const reached = new Set<string>();

  for (const [scenario, pairs] of Object.entries(REACHED_BY)) {
    const id = `loan-1.${scenario}`;
    await client.start(id);
    const walked = await client.walk(id);
    for (const pair of pairs.split('\n').map((line) => line.trim())) {
      expect(walked, scenario).toContain(pair);
      reached.add(pair);
    }
    expect([scenario, walked.at(-1)]).toEqual([
      scenario,
      ENDS[scenario as keyof typeof ENDS] ?? 'VIDEO_CALL AGENT_ENDED_CALL',
    ]);
  }

  const known = PROVIDER_PAIRS.map(({ status, subStatus }) => `${status} ${subStatus}`);
  expect(
    known.filter((pair) => !reached.has(pair)),
    'pairs that no scenario reaches',
  ).toEqual([]);
});

test('the sandbox scenario happy-path goes through its 14 status pairs in order', async () => {
  const client = await bootSandbox();
  await client.start('loan-1.happy-path');

  expect(await client.walk('loan-1.happy-path')).toEqual(
    REACHED_BY['happy-path'].split('\n').map((line) => line.trim()),
  );
});

test('the sandbox scenario proxy-detected stays for 20 seconds in USER_PROXY_DETECTED, the status that it is named after', async () => {
  const client = await bootSandbox();
  await client.start('loan-1.proxy-detected');
  await client.advance('loan-1.proxy-detected', 2);

  const { body } = await client.control('GET', '/verifications/loan-1.proxy-detected');

  expect(body.sub_status).toBe('USER_PROXY_DETECTED');
  expect(Date.parse(body.remaining_steps[0].at) - Date.parse(body.since)).toBe(20_000);
  expect(body.remaining_steps[0].sub_status).toBe('USER_IP_VERIFICATION_SUCCESSFUL');
});

test('the longest scenario name in the verification id selects the sandbox scenario; without one, the session ends up waiting for review', async () => {
  const client = await bootSandbox();
  const endOf = async (id: string) => {
    await client.start(id);
    return (await client.walk(id)).at(-1);
  };

  expect(await endOf('link-expires.a1')).toBe('EXPIRED VKYC_EXPIRED');
  expect(await endOf('a2_random_happy-path')).toBe('AUDITOR_REVIEWED AUDITOR_APPROVED');
  expect(await endOf('a3-link-expires')).toBe('VIDEO_CALL AGENT_ENDED_CALL');
});

test('a start at the sandbox with Aadhaar details is answered as if Aadhaar had succeeded, even in a scenario in which Aadhaar fails', async () => {
  const client = await bootSandbox();

  const answer = await client.start('sent.aadhaar-failed', { aadhaar_details: AADHAAR });
  const pairs = await client.walk('sent.aadhaar-failed');

  expect(answer).toMatchObject({
    status: 'PRE_VIDEO_CALL',
    sub_status: 'AADHAAR_VERIFICATION_SUCCESS',
    aadhaar_details: AADHAAR,
  });
  expect(pairs.filter((pair) => pair.includes('AADHAAR'))).toHaveLength(1);
  expect(pairs[1]).toBe('PRE_VIDEO_CALL USER_IP_VERIFICATION_SUCCESSFUL');
});

test('a sandbox journey with the call-only template starts at the link and has no Aadhaar step', async () => {
  const client = await bootSandbox();

  for (const scenario of ['happy-path', 'aadhaar-expired', 'random']) {
    const id = `call-only.${scenario}`;
    const answer = await client.start(id, { user_template: 'vkyc_user_call_only_template' });
    expect(answer).toMatchObject({ status: 'RECEIVED', sub_status: 'LINK_GENERATED' });
    expect((await client.walk(id)).filter((pair) => pair.includes('AADHAAR'))).toEqual([]);
  }
});

test('a start at the sandbox with insufficient balance is answered with status REJECTED or refused with 422, depending on the scenario', async () => {
  const client = await bootSandbox();

  const answer = await client.start('poor.insufficient-balance');
  const refused = await client.call('POST', '/vkyc', {
    verification_id: 'poor.insufficient-balance-422',
    user_id: answer.user_id,
  });

  expect(answer).toMatchObject({ status: 'REJECTED', sub_status: 'INSUFFICIENT_BALANCE', vkyc_link: null });
  expect(refused).toMatchObject({ status: 422, body: { code: 'insufficient_balance' } });
  expect(await client.look('poor.insufficient-balance-422')).toMatchObject({ type: 'not_found_error' });
});

test('the sandbox scenario unknown-status reports one undocumented status pair, and then continues', async () => {
  const client = await bootSandbox();
  await client.start('odd.unknown-status');

  const pairs = await client.walk('odd.unknown-status');

  const documented = Object.values(REACHED_BY).join('\n');
  const unheard = pairs.filter((pair) => !documented.includes(pair));
  expect(unheard).toHaveLength(1);
  expect(pairs.indexOf(unheard[0] as string)).toBeLessThan(pairs.length - 1);
});

test('link_expiry of a sandbox verification is the time of its VKYC_EXPIRED step if there is one, otherwise midnight in 30 days', async () => {
  const client = await bootSandbox();

  const expires = await client.start('one.link-expires');
  const lasts = await client.start('two.awaits-review');

  expect(expires.link_expiry).toBe('2026-03-02T12:00:20.250Z');
  expect(lasts.link_expiry).toBe('2026-04-01T00:00:00.000Z');
  await client.advance('one.link-expires');
  expect(await client.look('one.link-expires')).toMatchObject({
    sub_status: 'VKYC_EXPIRED',
    link_expiry: expires.link_expiry,
  });
});

test('in the sandbox scenario unheard-expiry the link expires, but no webhook or poll answer reports the expiry', async () => {
  const client = await bootSandbox();
  const started = await client.start('silent.unheard-expiry');

  expect(started.link_expiry).toBe('2026-03-02T12:00:20.250Z');
  expect(await client.walk('silent.unheard-expiry')).toEqual(['RECEIVED LINK_GENERATED']);
  expect(await client.look('silent.unheard-expiry')).toMatchObject({
    sub_status: 'LINK_GENERATED',
    link_expiry: started.link_expiry,
  });
});

test('in the sandbox scenarios late-approval and unheard-rejection the provider decides after the call; only late-approval sends webhooks of the decision', async () => {
  const client = await bootSandbox();
  const decided = async (id: string) => {
    await client.start(id);
    const pairs = (await client.walk(id)).slice(-3);
    const { body } = await client.control('GET', `/events?verification_id=${id}`);
    const sent = JSON.stringify(body);
    return [pairs, sent.includes('AGENT_ENDED_CALL'), /AUDITOR_|AGENT_APPROVED/.test(sent)];
  };

  expect(await decided('a1.late-approval')).toEqual([
    ['VIDEO_CALL AGENT_ENDED_CALL', 'AGENT_REVIEWED AGENT_APPROVED', 'AUDITOR_REVIEWED AUDITOR_APPROVED'],
    true,
    true,
  ]);
  expect(await decided('a2.unheard-rejection')).toEqual([
    ['VIDEO_CALL AGENT_ENDED_CALL', 'AGENT_REVIEWED AGENT_APPROVED', 'AUDITOR_REVIEWED AUDITOR_REJECTED'],
    true,
    false,
  ]);
});
