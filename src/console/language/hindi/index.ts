import type { Texts } from '../texts.ts';
import { exporting } from './exporting.ts';
import { frame } from './frame.ts';
import { time } from './time.ts';

/** Texts of the console in Hindi. */
export const hindi: Texts = {
  language: 'hi',
  locale: 'hi-IN',
  exporting,
  frame,
  time,
};
