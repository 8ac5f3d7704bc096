import type { Language } from '../texts.ts';
import { exporting } from './exporting.ts';
import { frame } from './frame.ts';
import { time } from './time.ts';

/** Texts of the console in English, by the folder that shows them. */
export const english = {
  language: 'en' as Language,
  /** Locale of numbers and times: Indian digit groups, day before month. */
  locale: 'en-IN',
  exporting,
  frame,
  time,
};
