/** Hostile operations of a signed-in client: each is refused with the same error code on every transport. */
import { SignJWT } from 'jose';
import { expect, test } from 'vitest';
import { bootGateway, PRODUCTION } from '../harness/gateway.ts';
import { isClean, TRANSPORTS, type Transport } from '../harness/transports.ts';
import { FLOODS, LIST, REFUSED, transportsFor } from './documents.ts';
import { tallyOf } from './tally.ts';

const gateway = await bootGateway({
  environment: PRODUCTION,
});
const tokenOf = async (sub: string) =>
  `Bearer ${await new SignJWT({ sub, roles: ['VIEWER'] })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer(PRODUCTION.AUTH_ISSUER)
    .setAudience(PRODUCTION.AUTH_AUDIENCE)
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(PRODUCTION.AUTH_SECRET))}`;

const tally = tallyOf('operations');

const attacksOver = (transport: Transport) =>
  Object.entries(REFUSED).filter(([, [query]]) => transportsFor({ query }).includes(transport));

for (const [transport, send] of Object.entries(TRANSPORTS)) {
  test.each(attacksOver(transport as Transport))(
    `${transport}: a hostile operation is refused with its error code: %s`,
    async (attack, [query, code]) => {
      const since = performance.now();
      const [{ data, errors, text }, other] = await Promise.all([
        tokenOf('mallory').then((token) => send(gateway, { query }, token)),
        tokenOf('asha').then((token) => send(gateway, { query: '{ viewer { id } }' }, token)),
      ]);
      const seconds = (performance.now() - since) / 1000;

      tally.note(`${transport}: ${attack}`, errors.length === 0 || data !== null);
      expect(data).toBeNull();
      expect(new Set(errors.map(({ extensions }) => extensions.code))).toEqual(new Set([code]));
      expect(isClean(text)).toBe(true);
      expect(text).not.toContain('Did you mean');
      expect(other.data).toEqual({ viewer: { id: 'asha' } });
      expect(seconds).toBeLessThan(2);
    },
  );
}

const FLOODED = ['HTTP', 'SSE'] as const;

// Leaves out the WebSocket, because the gateway closes the socket on a message of this size without reading the
// message.
for (const transport of FLOODED) {
  const send = TRANSPORTS[transport];
  test.each(Object.entries(FLOODS))(
    `${transport}: hostile variables are refused with few errors: %s`,
    async (attack, variables) => {
      const since = performance.now();
      const { data, errors, text } = await send(
        gateway,
        { query: LIST, variables },
        await tokenOf('mallory'),
      );
      const seconds = (performance.now() - since) / 1000;

      tally.note(`${transport}: ${attack}`, errors.length === 0 || data !== null);
      expect(errors.length).toBeGreaterThan(0);
      expect(errors.length).toBeLessThan(20);
      expect(text.length).toBeLessThan(20_000);
      expect(seconds).toBeLessThan(2);
    },
  );
}

tally.close(
  Object.values(REFUSED).flatMap(([query]) => transportsFor({ query })).length +
    Object.keys(FLOODS).length * FLOODED.length,
);
