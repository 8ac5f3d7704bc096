/** Settings that the gateway writes into the console's page as JSON. */
interface Setup {
  /**
   * ISSUED (development): the gateway issues a token for any role. PASTED: users paste a token of their own.
   */
  readonly signIn: 'ISSUED' | 'PASTED';
  /** Description of each sandbox scenario, by its name; null if sessions are started at a real provider. */
  readonly scenarios: Readonly<Record<string, string>> | null;
}

const written = document.querySelector('#setup')?.textContent;

/**
 * Settings in the page, or these defaults if the page has none. Only the gateway writes settings into the
 * page; other servers, such as Vite's dev server, do not.
 */
export const pageSettings: Setup = JSON.parse(written ?? 'null') ?? {
  signIn: 'PASTED',
  scenarios: null,
};
