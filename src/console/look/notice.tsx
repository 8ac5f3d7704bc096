import type { ReactNode } from 'react';
import style from './notice.module.css';
import tones from './tones.module.css';

/** Something that people should know before they go on. */
export function Notice({ tone, children }: { tone: 'bad' | 'trouble' | 'good'; children: ReactNode }) {
  return (
    <div role={tone === 'bad' ? 'alert' : 'status'} className={`${style.notice} ${tones[tone]}`}>
      {children}
    </div>
  );
}
