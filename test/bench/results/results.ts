/** Stores the newest result of each bench as JSON, and renders all of them as a page. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import type { Report } from '../bench.ts';

/** Results by the name of the bench. */
type Results = Record<string, Kept>;

interface Kept {
  readonly date: string;
  readonly text: string;
  readonly figures: object;
  /** File name of the chart, which is in the folder of the results. */
  readonly plot?: string;
}

const INTRODUCTION = `# What \`npm run bench\` found

All servers answer the same requests from the same database, one after another within each round, and are compared within
the round. The gateway runs as in production, with sign-in, masking, rate limits and the log of personal-data reads. Each
response is checked for proof of the work, and the rows that the requests add to the database are counted. Ratios between
servers say more than absolute figures, which hold for one machine only.
`;

/** Adds a report to the results in a folder. It replaces the previous report of the same bench. */
export async function keepReport(
  folder: URL,
  name: string,
  { text, figures, plot }: Report,
  order: readonly string[],
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const file = new URL('results.json', folder);
  const before = JSON.parse(await readFile(file, 'utf8').catch(() => '{}')) as Results;
  const drawing = plot === undefined ? {} : { plot: `${name}.svg` };
  const date = new Date().toISOString().slice(0, 10);
  const results: Results = { ...before, [name]: { date, text, figures, ...drawing } };
  if (plot !== undefined) await writeFile(new URL(`${name}.svg`, folder), plot);
  await writeFile(file, `${JSON.stringify(results, null, 2)}\n`);
  await writeFile(new URL('RESULTS.md', folder), markdownOf(results, order));
}

const markdownOf = (results: Results, order: readonly string[]): string =>
  [
    INTRODUCTION,
    ...order.flatMap((name) => {
      const kept = results[name];
      return kept ? [sectionOf(name, kept)] : [];
    }),
  ].join('\n');

function sectionOf(name: string, { date, text, plot }: Kept): string {
  const drawing = plot ? `\n![${name}](${plot})\n` : '';
  return `## \`npm run bench -- ${name}\`, ${date}\n\n\`\`\`\n${text}\n\`\`\`\n${drawing}`;
}
