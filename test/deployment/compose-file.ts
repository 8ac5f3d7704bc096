/** Reads compose.yaml, and substitutes variables in it as Docker Compose does. */
import { parse } from 'yaml';
import { readProjectFile } from './dockerfile.ts';

interface Service {
  readonly build?: string;
  readonly image?: string;
  readonly environment?: Readonly<Record<string, string | number>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: object;
  readonly ports?: readonly string[];
  readonly configs?: readonly { readonly source: string }[];
  readonly volumes?: readonly string[];
}

export interface ComposeFile {
  readonly services: Readonly<Record<string, Service>>;
  readonly configs: Readonly<Record<string, { readonly content: string }>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

/** Reads compose.yaml without substituting its variables. */
export const readComposeFile = async (): Promise<ComposeFile> =>
  parse(await readProjectFile('compose.yaml'), { merge: true });

/** Matches a variable: `${NAME:?why}` is required, `${NAME:-default}` is optional. */
const VARIABLE = /\$\{([A-Z_]+):([?-])([^}]*)\}/g;

/** Substitutes the variables in a text as Docker Compose does. Throws if a required variable has no value. */
export const interpolated = (text: string, given: Readonly<Record<string, string>>): string =>
  text.replace(VARIABLE, (_, name: string, kind: string, rest: string) => {
    if (!given[name] && kind === '?') throw new Error(`${name}: ${rest}`);
    return given[name] || rest;
  });

/** Returns the names of the required variables in a text. */
export const requiredIn = (text: string): string[] =>
  [...text.matchAll(VARIABLE)].filter(([, , kind]) => kind === '?').map(([, name]) => name as string);
