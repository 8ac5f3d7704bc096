/** Settings that the gateway writes into the page as JSON. */
interface Setup {
  /** ISSUED (development): the gateway makes a token for any role. PASTED: users paste a token of their own. */
  readonly signIn: 'ISSUED' | 'PASTED';
  /** Description of each sandbox scenario by its name; null if the provider is real. */
  readonly scenarios: Readonly<Record<string, string>> | null;
}

const written = document.querySelector('#setup')?.textContent;

/** Settings of the gateway that served the page. Any other server leaves them out, and the defaults apply. */
export const setup: Setup = JSON.parse(written ?? 'null') ?? {
  signIn: 'PASTED',
  scenarios: null,
};
