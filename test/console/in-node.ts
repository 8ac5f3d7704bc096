/** Loads parts of the console that need no DOM in Node, to test them with a real gateway. */
import { vi } from 'vitest';
import { WebSocket } from 'ws';
import { atTheEnd } from '../harness/gateway.ts';

/**
 * Imports a module of the console. The result is untyped, because the console is compiled with the types of browsers,
 * and tests with the types of Node.
 */
export const importConsole = (path: string): Promise<any> =>
  import(new URL(`../../src/console/${path}`, import.meta.url).href);

/**
 * Returns a console client for the gateway at `url`, signed in as the development user with the role ADMIN. It is
 * closed when the test ends.
 */
export async function signIn(url: string): Promise<any> {
  const page = { querySelector: () => ({ textContent: JSON.stringify({ signIn: 'ISSUED' }) }) };
  for (const [name, value] of Object.entries({ location: { href: url }, document: page, WebSocket }))
    vi.stubGlobal(name, value);
  atTheEnd(async () => void vi.unstubAllGlobals());
  vi.resetModules();
  const { GatewayClient } = await importConsole('gateway/gateway.ts');
  const gateway = new GatewayClient({ kind: 'DEVELOPER' }, () => {});
  atTheEnd(async () => gateway.close());
  return gateway;
}
