import { createElement, Fragment, type ReactNode } from 'react';

/**
 * Text with elements in it. The texts with elements are functions that return their parts, because each language has its
 * own order of words.
 */
export const TextWithElements = ({ parts }: { parts: readonly ReactNode[] }) =>
  createElement(Fragment, null, ...parts);
