import { acting } from './acting.ts';
import { floor } from './floor.ts';
import { frame } from './frame.ts';
import { gateway } from './gateway.ts';
import { insight } from './insight.ts';
import { labels } from './labels.ts';
import { session } from './session.ts';
import { time } from './time.ts';

/** Texts of the console in English, by the folder that shows them. */
export const english = {
  /** As in the attribute `lang` of HTML. */
  language: 'en' as 'en' | 'hi',
  /** Locale of numbers and times: Indian digit groups, day before month. */
  locale: 'en-IN',
  /** Texts of React Aria, by package and name; null if it has the language. */
  library: null as Readonly<Record<string, Readonly<Record<string, string>>>> | null,
  acting,
  floor,
  frame,
  gateway,
  insight,
  labels,
  session,
  time,
};
