/** Texts around every page: header, sign-in, keys, faults. */
export const frame = {
  consoleName: 'VKYC console',
  mainNavigation: 'Main',
  sessions: 'Sessions',
  insight: 'Insight',
  loading: 'Loading…',
  pageNotFound: 'Page not found',
  goToAllSessions: 'Go to all sessions',
  /** Label of the button that switches to the other language, in that language. */
  otherLanguage: 'हिन्दी',
  switchToTheme: { light: 'Switch to light theme', dark: 'Switch to dark theme' },
  close: 'Close',

  signInHint:
    'Sign in with an access token from your identity provider. The token stays in this browser tab and is deleted when you close it.',
  accessToken: 'Access token',
  signIn: 'Sign in',
  signingIn: 'Signing in…',
  signOut: 'Sign out',
  signedInAs: 'Signed in as',
  developer: 'Developer (no token)',
  noTokensIssued: 'This gateway does not issue tokens. Sign in with a token of your own.',
  unreachable: 'Cannot reach the gateway. Check your connection and try again.',

  keys: 'Keys',
  keysOn: 'Keys work outside of fields.',
  keysOff: 'Keys are off.',
  turnKeysOn: 'Turn keys on',
  turnKeysOff: 'Turn keys off',
  keyMeanings: {
    '/': 'Search, in the list of sessions',
    j: 'Next session of the list',
    k: 'Previous session of the list',
    Enter: 'Open the session',
    x: 'Select the session, or clear its selection',
    c: 'Take the next session of your queue',
    n: 'On the page of a session: open the next session of the list',
    '?': 'Show these keys',
  },

  fault: 'This page cannot be shown',
  faultAt: (time: string) =>
    `A fault of the console stopped this page at ${time}. What you had saved is not lost. What you had typed and not saved is lost.`,
  afterFault:
    'Reload the page. If the fault comes back, tell your administrator this time and what you were doing.',
  reload: 'Reload the page',

  copy: 'Copy',
  copyOf: (what: string) => `Copy ${what}`,
  copied: 'Copied',
  copyFailed: 'Could not copy. Select the text and copy it.',
};
