import { SignJWT } from 'jose';
import { browserTest } from '../harness/browser.ts';
import { bootGateway } from '../harness/gateway.ts';
import { openGraphiql } from '../harness/graphiql.ts';

const SECRET = 'a secret of the tests that is long enough';

browserTest(
  'where there is a sign-in one pastes a token, which sockets are opened with as well',
  { timeout: 60_000 },
  async () => {
    const gateway = await bootGateway({ environment: { AUTH_SECRET: SECRET } });
    const token = await new SignJWT({ sub: 'vera', roles: ['VIEWER'] })
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime('1h')
      .sign(new TextEncoder().encode(SECRET));
    const { page, choose, run, shows } = await openGraphiql(gateway);

    await choose('Stats');
    await run();
    await shows('UNAUTHENTICATED');
    await page.getByLabel('Token').fill(`Bearer ${token}`);
    await page.getByLabel('Token').press('Enter');
    await run();
    await shows('"total": 0');
    await choose('Watch');
    await run();
    await shows('Heartbeat');
  },
);
