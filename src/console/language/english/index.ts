import type { Language } from '../language.ts';
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

/** Texts of the console in English, by the folder that shows them. */
export const english = {
  /** As in the attribute `lang` of HTML. */
  language: 'en' as Language,
  /** Locale of numbers and times: Indian digit groups, day before month. */
  locale: 'en-IN',
  /** Texts of React Aria, by package and name; null if it has the language. */
  library: null as Readonly<Record<string, Readonly<Record<string, string>>>> | null,
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
