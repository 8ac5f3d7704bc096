/** What can be is accepted; what cannot be is refused with its path and what to do. */
import { describe, expect, test } from 'vitest';
import { bootGateway } from '../harness/gateway.ts';
import { inMinutes, person } from '../harness/people.ts';

const gateway = await bootGateway();
const operator = await person(gateway, 'olga', 'OPERATOR');

const HIGH_HALF = '\ud83d';
const UNSTORABLE = 'must not contain null bytes (U+0000) or half a surrogate pair';

describe('a text that the database cannot store as it is', () => {
  test.each([HIGH_HALF, 'key\0'])('%j is refused as an idempotency key', async (idempotencyKey) => {
    const { id } = await gateway.start(`keys.${idempotencyKey.length}`);

    const refused = await operator.act('scheduleMeeting', id, { startsAt: inMinutes(30), idempotencyKey });

    expect(refused).toMatchObject({
      code: 'INVALID_INPUT',
      problems: [{ path: ['idempotencyKey'], message: UNSTORABLE }],
    });
  });

  test('filters refuse it, and nothing is found under it', async () => {
    const { errors } = await gateway.graphql(
      'query ($text: String) { sessions(first: 1, filter: { verificationIdPrefix: $text }) { nodes { id } } }',
      { text: HIGH_HALF },
    );
    const { data } = await gateway.graphql(
      'query ($text: String!) { sessionByVerificationId(verificationId: $text) { id } }',
      { text: HIGH_HALF },
    );

    expect(errors).toMatchObject([
      { message: `\`verificationIdPrefix\` ${UNSTORABLE}.`, extensions: { code: 'BAD_USER_INPUT' } },
    ]);
    expect(data).toEqual({ sessionByVerificationId: null });
  });
});
