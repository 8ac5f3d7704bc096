import { readFile } from 'node:fs/promises';

/**
 * Reads a text file of the repository with LF line ends, because Git may have converted them to CRLF at
 * checkout.
 */
export const readTextWithLf = async (file: string): Promise<string> =>
  (await readFile(file, 'utf8')).replaceAll('\r\n', '\n');
