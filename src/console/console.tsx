import { lazy, type ReactNode, Suspense, useState } from 'react';
import { Link, Route, Router, Switch, useLocation, useSearch } from 'wouter';
import style from './console.module.css';
import { FloorPage } from './floor/floor-page.tsx';
import { SessionListLink } from './floor/sessions-link.tsx';
import { SignedInOnly } from './gateway/signed-in.tsx';
import { LanguageSwitch } from './language/language-switch.tsx';
import { texts } from './language/texts.ts';
import { FeedStateProvider, LiveBadge } from './live/badge.tsx';
import { ErrorBoundary } from './look/error-boundary.tsx';
import { ShortcutKeysDialog } from './look/keys-dialog.tsx';
import { ThemeSwitch } from './look/theme.tsx';
import { SessionPage } from './session/session-page.tsx';
import { SignInPage } from './sign-in/sign-in-page.tsx';
import { UserMenu } from './sign-in/who-menu.tsx';
import { ClaimNextButton } from './work/next-button.tsx';

const CalendarPage = lazy(() => import('./calendar/calendar-page.tsx'));
// Loaded on demand (code splitting), because its chart library is as large as the rest of the console.
const InsightPage = lazy(() => import('./insight/insight-page.tsx'));

/** Root component: sign-in, header and the routes of the pages. */
export function Console() {
  const [areKeysOpen, setKeysOpen] = useState(false);
  return (
    <SignedInOnly renderSignIn={(switchUser, why) => <SignInPage switchUser={switchUser} why={why} />}>
      <Router base="/console">
        <FeedStateProvider>
          <header className={style.bar}>
            <Link href="/" className={style.brand!}>
              VKYC
            </Link>
            <nav aria-label={texts.frame.mainNavigation}>
              <SessionListLink className={(active) => (active ? style.here! : style.link!)} />
              <Link href="/calendar" className={(active) => (active ? style.here! : style.link!)}>
                {texts.calendar.title}
              </Link>
              <Link href="/insight" className={(active) => (active ? style.here! : style.link!)}>
                {texts.frame.insight}
              </Link>
            </nav>
            <ClaimNextButton />
            <LiveBadge />
            <LanguageSwitch />
            <ThemeSwitch />
            <UserMenu onKeys={() => setKeysOpen(true)} />
          </header>
          <ShortcutKeysDialog isOpen={areKeysOpen} onOpenChange={setKeysOpen} />
          <main className={style.main}>
            <PageBoundary>
              <Suspense fallback={<p role="status">{texts.frame.loading}</p>}>
                <Switch>
                  <Route path="/">
                    <FloorPage />
                  </Route>
                  <Route path="/sessions/:id">{({ id }) => <SessionPage key={id} id={decode(id)} />}</Route>
                  <Route path="/calendar">
                    <CalendarPage />
                  </Route>
                  <Route path="/insight">
                    <InsightPage />
                  </Route>
                  <Route>
                    <h1>{texts.frame.pageNotFound}</h1>
                    <p>
                      <Link href="/">{texts.frame.goToAllSessions}</Link>
                    </p>
                  </Route>
                </Switch>
              </Suspense>
            </PageBoundary>
          </main>
        </FeedStateProvider>
      </Router>
    </SignedInOnly>
  );
}

/** Keeps the header and its navigation if a page fails. */
function PageBoundary({ children }: { children: ReactNode }) {
  const [path] = useLocation();
  const address = `${path}?${useSearch()}`;
  return (
    <ErrorBoundary address={address} wayOut={<Link href="/">{texts.frame.goToAllSessions}</Link>}>
      {children}
    </ErrorBoundary>
  );
}

/** Decodes a part of the address, which anyone can edit. Returns it as it is if it is malformed. */
function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
