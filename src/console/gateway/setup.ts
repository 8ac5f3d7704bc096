/** What the gateway wrote into the page that it served. */
interface Setup {
  /** ISSUED: this is development, where anybody may be anyone. PASTED: people bring their tokens. */
  readonly signIn: 'ISSUED' | 'PASTED';
  /** What the sandbox can be made to do, by the word for it; null where the provider is real. */
  readonly scenarios: Readonly<Record<string, string>> | null;
}

const written = document.querySelector('#setup')?.textContent;

/** The setup of this page's gateway. Throws where the page was not served by one. */
export const setup: Setup = JSON.parse(written ?? 'null') ?? {
  signIn: 'PASTED',
  scenarios: null,
};
