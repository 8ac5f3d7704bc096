import type { Texts } from '../texts.ts';
import { acting } from './acting.ts';
import { calendar } from './calendar.ts';
import { exporting } from './exporting.ts';
import { floor } from './floor.ts';
import { frame } from './frame.ts';
import { gateway } from './gateway.ts';
import { insight } from './insight.ts';
import { labels } from './labels.ts';
import { list } from './list.ts';
import { session } from './session.ts';
import { time } from './time.ts';
import { work } from './work.ts';

/** Texts of the console in Hindi. */
export const hindi: Texts = {
  language: 'hi',
  locale: 'hi-IN',
  library: {
    '@react-aria/overlays': { dismiss: frame.close },
    '@react-aria/menu': { longPressMessage: 'मेनू खोलने के लिए देर तक दबाएँ, या Alt + ArrowDown दबाएँ' },
  },
  acting,
  calendar,
  exporting,
  floor,
  frame,
  gateway,
  insight,
  labels,
  list,
  session,
  time,
  work,
};
