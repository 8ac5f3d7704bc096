/** Runs the parts of the console that need no DOM in Node, signed in to a real gateway. */
import { vi } from 'vitest';
import { WebSocket } from 'ws';
import { atTheEnd } from '../harness/gateway.ts';

/** Imports a module of the console. Untyped, since the console is compiled against browser types, not those of Node. */
export const importConsole = (path: string): Promise<any> =>
  import(new URL(`../../src/console/${path}`, import.meta.url).href);

/** Returns a client that acts as the development ADMIN. The end of the test closes it. */
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
