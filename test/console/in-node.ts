/** The parts of the console that need no page, in Node, signed in at a real gateway. */
import { vi } from 'vitest';
import { WebSocket } from 'ws';
import { atTheEnd } from '../harness/gateway.ts';

/** Imports a module of the console, which is checked against the types of a browser and not of Node. */
export const importConsole = (path: string): Promise<any> =>
  import(new URL(`../../src/console/${path}`, import.meta.url).href);

/** Signs in as an ADMIN of development, until the test ends. */
export async function signIn(url: string): Promise<any> {
  const page = { querySelector: () => ({ textContent: JSON.stringify({ signIn: 'ISSUED' }) }) };
  for (const [name, value] of Object.entries({ location: { href: url }, document: page, WebSocket }))
    vi.stubGlobal(name, value);
  atTheEnd(async () => void vi.unstubAllGlobals());
  vi.resetModules();
  const { Gateway } = await importConsole('gateway/gateway.ts');
  const gateway = new Gateway({ kind: 'DEVELOPER' }, () => {});
  atTheEnd(async () => gateway.close());
  return gateway;
}
