import { expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { atTheEnd, bootGateway } from '../harness/gateway.ts';

/** Imports a module of the console, which is checked against the types of a browser, not of Node. */
const importConsole = (path: string): Promise<any> =>
  import(new URL(`../../src/console/${path}`, import.meta.url).href);

test('a subscription that the gateway refuses is shown as a failure', async () => {
  const { url } = await bootGateway();
  const page = { querySelector: () => ({ textContent: JSON.stringify({ signIn: 'ISSUED' }) }) };
  for (const [name, value] of Object.entries({ location: { href: url }, document: page, WebSocket }))
    vi.stubGlobal(name, value);
  atTheEnd(async () => void vi.unstubAllGlobals());
  const { Gateway } = await importConsole('gateway/gateway.ts');
  const { VkycWatchFloor } = await importConsole('operations.ts');
  const gateway = new Gateway({ kind: 'DEVELOPER' }, () => {});
  atTheEnd(async () => gateway.close());

  const failure = await new Promise((resolve) =>
    gateway.watch(VkycWatchFloor, { after: 'nonsense' }, { next: resolve, onState() {}, fail: resolve }),
  );

  expect(failure).toMatchObject({ code: 'BAD_USER_INPUT', message: expect.stringMatching(/not a cursor/) });
});
