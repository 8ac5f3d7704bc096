import type { Texts } from '../texts.ts';
import { calendar } from './calendar.ts';
import { frame } from './frame.ts';
import { list } from './list.ts';
import { time } from './time.ts';
import { work } from './work.ts';

/** Texts of the console in Hindi. */
export const hindi: Texts = {
  language: 'hi',
  locale: 'hi-IN',
  calendar,
  frame,
  list,
  time,
  work,
};
