/**
 * `npm run schema:gate`: compares the schema with that of the last release, and fails if a client of the last
 * release would break. `npm run schema:release` also records the present schema as that of the last release;
 * with `-- --breaking`, it records the schema even if a client would break.
 */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { getCurrentBehaviour } from '../gate/behaviour.ts';
import { addReleaseHeading } from '../gate/changelog.ts';
import { formatUtcDay } from '../gate/deprecations.ts';
import { checkAgainstLastRelease, type SchemaFinding } from '../gate/schema-gate.ts';
import { formatSchemaSdl } from '../graphql/schema.ts';
import { readTextWithLf } from './read-text.ts';

const pathOf = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const read = (path: string) => readTextWithLf(pathOf(path));
const asJson = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

const told = ({ fails, coordinate, what, whom, todo }: SchemaFinding): string =>
  `${fails ? 'FAILS' : 'ok   '}  ${coordinate}\n       ${what}\n       Affects: ${whom}\n       To do: ${todo}\n`;

const present = { sdl: formatSchemaSdl(), behaviour: getCurrentBehaviour() };
const changelog = await read('schema/CHANGELOG.md');
const today = new Date();
const findings = await checkAgainstLastRelease({
  released: {
    sdl: await read('schema/released.graphql'),
    behaviour: JSON.parse(await read('schema/released-behaviour.json')),
  },
  present,
  operations: await read('schema/operations.graphql'),
  changelog,
  today,
});
const failures = findings.filter(({ fails }) => fails).length;
for (const finding of findings) process.stdout.write(`${told(finding)}\n`);
process.stdout.write(
  failures === 0
    ? 'The schema may be released: the changelog announces every change that may break a client of the last release.\n'
    : `${failures} changes must be corrected before the schema may be addReleaseHeading.\n`,
);

const { version } = JSON.parse(await read('package.json'));
if (failures > 0 && !process.argv.includes('--breaking')) process.exitCode = 1;
else if (process.argv.includes('--release')) {
  await writeFile(pathOf('schema/released.graphql'), present.sdl);
  await writeFile(pathOf('schema/released-behaviour.json'), asJson(present.behaviour));
  await writeFile(
    pathOf('schema/CHANGELOG.md'),
    addReleaseHeading(changelog, `${version}, ${formatUtcDay(today)}`),
  );
  // Stores the commit for the next release's upgrade test, which builds this commit and runs it next to the
  // new release (rolling deploy).
  const { stdout: commit } = await promisify(execFile)('git', ['rev-parse', 'HEAD'], { cwd: pathOf('.') });
  await writeFile(pathOf('schema/released-commit'), commit);
  process.stdout.write(`The last release is now ${commit.trim()}: commit schema/.\n`);
}
