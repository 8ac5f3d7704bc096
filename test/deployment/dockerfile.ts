/** Parses the Dockerfile into its stages and their instructions. */
import { readFile } from 'node:fs/promises';

export interface Instruction {
  readonly keyword: string;
  readonly words: string;
}

export interface Stage {
  /** Base image of the stage, such as node:24-slim. */
  readonly base: string;
  readonly name: string | null;
  readonly instructions: readonly Instruction[];
}

export const readProjectFile = (path: string): Promise<string> =>
  readFile(new URL(`../../${path}`, import.meta.url), 'utf8');

export async function readStages(): Promise<Stage[]> {
  const text = await readProjectFile('Dockerfile');
  const lines = text
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n\s*/g, '')
    .split('\n');
  const stages: (Stage & { instructions: Instruction[] })[] = [];
  for (const line of lines.filter(Boolean)) {
    const [, keyword, words] = line.match(/^([A-Z]+) (.*)$/) as unknown as [string, string, string];
    if (keyword !== 'FROM') stages.at(-1)?.instructions.push({ keyword, words });
    else {
      const [base, , name] = words.split(' ') as [string, string?, string?];
      stages.push({ base, name: name ?? null, instructions: [] });
    }
  }
  return stages;
}

/** Returns the last instruction of a stage that has this keyword. Throws if there is none. */
export function lastOf({ instructions }: Stage, keyword: string): string {
  const found = instructions.findLast((instruction) => instruction.keyword === keyword);
  if (!found) throw new Error(`The stage has no ${keyword} instruction`);
  return found.words;
}

/** Returns the environment variables that a stage of the image sets. */
export const environmentOf = (stage: Stage): Record<string, string> =>
  Object.fromEntries(
    lastOf(stage, 'ENV')
      .split(' ')
      .map((pair) => pair.split('=') as [string, string]),
  );
