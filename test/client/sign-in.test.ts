import { describe, expect, test } from 'vitest';
import { createTokenWatch } from '../../src/client/sign-in.ts';
import { MAX_REFUSED_RETRIES, SignInEndedError } from '../../src/client/subscription.ts';

const REFUSED = { code: 4403 };

describe('createTokenWatch', () => {
  test('parameters that are refused more often than the limit end the sign-in, and new ones begin anew', async () => {
    let token = 'old';
    const watch = createTokenWatch(() => ({ token }));
    for (let refusal = 0; refusal <= MAX_REFUSED_RETRIES; refusal += 1) {
      expect(await watch.connectionParams()).toEqual({ token: 'old' });
      watch.noteClose(REFUSED);
    }

    await expect(watch.connectionParams()).rejects.toThrow(SignInEndedError);
    token = 'new';
    expect(await watch.connectionParams()).toEqual({ token: 'new' });
  });

  test('a token that a proxy renews may expire as often as it likes, because each connection is accepted first', async () => {
    const watch = createTokenWatch({});
    for (let expiry = 0; expiry < 10; expiry += 1) {
      expect(await watch.connectionParams()).toEqual({});
      watch.noteAccepted();
      watch.noteClose(REFUSED);
    }
  });

  test('a connection that is lost for another reason is no refusal', async () => {
    const watch = createTokenWatch(undefined);
    for (let loss = 0; loss < 10; loss += 1) {
      expect(await watch.connectionParams()).toBeUndefined();
      watch.noteClose({ code: 1006 });
      watch.noteClose(undefined);
    }
  });
});
