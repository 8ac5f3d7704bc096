import { readFile } from 'node:fs/promises';

/** Reads a text file of the repository with the line ends of the repository: a checkout may have made CRLF of them. */
export const readText = async (file: string): Promise<string> =>
  (await readFile(file, 'utf8')).replaceAll('\r\n', '\n');
