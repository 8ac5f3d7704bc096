import type { ReactNode } from 'react';
import style from './user-text.module.css';

/**
 * Text that a person wrote, or a name that comes from outside. It wraps anywhere, so that it never widens the page, and
 * its writing direction is isolated: marks in it, such as U+202E, do not turn the text next to it around.
 */
export const UserText = ({ children, lang }: { children: ReactNode; lang?: string }) => (
  <bdi className={style.text} lang={lang}>
    {children}
  </bdi>
);
