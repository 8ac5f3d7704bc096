import { Link, useLocation, useSearch } from 'wouter';
import { texts } from '../language/texts.ts';
import { getLastListAddress } from './last-list.ts';

/** Link of the header to the list of sessions, with the filters that the list had last. */
export function SessionListLink({ className }: { className: (isActive: boolean) => string }) {
  const [path] = useLocation();
  const search = useSearch();
  const isActive = path === '/';
  return (
    <Link href={isActive ? `/?${search}` : getLastListAddress()} className={className(isActive)}>
      {texts.frame.sessions}
    </Link>
  );
}
