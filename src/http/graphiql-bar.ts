/**
 * Bar above GraphiQL in which the user signs in: in development by choosing a role, otherwise by pasting a
 * token.
 */
import { ROLES } from '../domain/access.ts';
import { EXAMPLE_VERIFICATION_IDS } from './graphiql-examples.ts';

/**
 * Source of the token that users of GraphiQL and the console sign in with: the gateway issues the token
 * (development), or users paste their own.
 */
export type TokenSource = 'ISSUED' | 'PASTED';

const STYLE = `
  body { display: flex; flex-direction: column; height: 100vh; }
  #root { flex: 1; min-height: 0; }
  #root .graphiql-container { height: 100%; }
  #bar { display: flex; gap: 10px; align-items: center; padding: 8px 16px; background: #1e2433; color: #fff;
         font: 14px system-ui, sans-serif; }
  #bar b { margin-right: auto; font-weight: 600; }
  #bar select, #bar input { font: inherit; padding: 4px 8px; border: 1px solid #66708a; border-radius: 4px;
         background: #fff; color: #111; }
  #bar input { width: 26em; }
  #bar output { color: #b9c2d8; }`;

const CHOICE: Record<TokenSource, string> = {
  ISSUED: `<label for="role">Act as</label>
    <select id="role"><option value="">developer (ADMIN, no token)</option>${Object.entries(ROLES)
      .map(([role, what]) => `<option value="${role}" title="${what}">${role}</option>`)
      .join('')}</select>`,
  PASTED: `<label for="token">Token</label>
    <input id="token" type="password" autocomplete="off" placeholder='Paste a token; only this page keeps it'>`,
};

/**
 * Script of the bar. GraphiQL has no setting for a token, so the script adds the token to GraphiQL's requests
 * (`fetch`) and to the first message of its WebSockets, unless the user has set an authorization in
 * GraphiQL's headers editor. A new token is used from the next operation on. The script also passes clicks on
 * to GraphiQL's tabs: the tabs can be dragged, so otherwise the list around them would receive the click.
 */
const SCRIPT = `
  let token = '';
  const bar = document.querySelector('#bar');
  const said = bar.querySelector('output');
  const fetchAsIs = window.fetch;
  window.fetch = (url, init = {}) => {
    const headers = new Headers(init.headers);
    if (token && !headers.has('authorization')) headers.set('authorization', 'Bearer ' + token);
    return fetchAsIs(url, { ...init, headers });
  };
  window.WebSocket = class extends window.WebSocket {
    send(data) {
      const message = token && typeof data === 'string' ? JSON.parse(data) : {};
      if (message.type !== 'connection_init') return super.send(data);
      super.send(JSON.stringify({ ...message, payload: { authorization: 'Bearer ' + token, ...message.payload } }));
    }
  };
  const act = (next, words) => {
    token = next;
    said.textContent = words;
    document.querySelector('[aria-label="Re-fetch GraphQL schema"]')?.click();
  };
  bar.querySelector('#token')?.addEventListener('change', ({ target }) =>
    act(target.value.trim().replace(/^Bearer /, ''), target.value ? 'used from now on' : 'no token'));
  bar.querySelector('#role')?.addEventListener('change', async ({ target: { value: role } }) => {
    if (!role) return act('', '');
    const answer = await fetchAsIs('/dev/token', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ sub: role.toLowerCase(), roles: [role], verification_ids: ${JSON.stringify(EXAMPLE_VERIFICATION_IDS)} }),
    });
    act((await answer.json()).token, role === 'CUSTOMER' ? 'sees only ${EXAMPLE_VERIFICATION_IDS.join(' and ')}' : '');
  });
  let pressed = null;
  window.addEventListener('pointerdown', ({ target }) => (pressed = target.closest?.('.graphiql-tab button')), true);
  window.addEventListener('click', ({ target }) => {
    if (target.matches?.('.graphiql-tabs')) pressed?.click();
  });`;

const ROOT = '<div id="root"></div>';

/**
 * Inserts the bar into GraphiQL's page.
 * @throws Error if the page lacks the element before which the bar is inserted
 */
export function withSignInBar(page: string, source: TokenSource): string {
  if (!page.includes(ROOT))
    throw new Error(
      "GraphiQL's page lacks the element before which the bar is inserted: the package has changed its HTML",
    );
  const bar = `<style>${STYLE}</style>
    <div id="bar"><b>VKYC gateway</b><output></output>${CHOICE[source]}</div>
    ${ROOT}
    <script>{${SCRIPT}}</script>`;
  return page.replace(ROOT, () => bar);
}
