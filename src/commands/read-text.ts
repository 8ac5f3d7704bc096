import { readFile } from 'node:fs/promises';

/** Reads a text file of the repository with LF line ends: a checkout may have converted them to CRLF. */
export const readText = async (file: string): Promise<string> =>
  (await readFile(file, 'utf8')).replaceAll('\r\n', '\n');
