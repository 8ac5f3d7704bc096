/**
 * Reads and writes `schema/CHANGELOG.md`. An entry under "Unreleased" names, in backticks, the schema
 * coordinate that changed.
 */
const HEADING = '## Unreleased';

/** Returns the text between the heading "Unreleased" and the next heading. */
export function extractUnreleasedSection(changelog: string): string {
  const lines = changelog.split('\n');
  const start = lines.indexOf(HEADING);
  if (start < 0) return '';
  const length = lines.slice(start + 1).findIndex((line) => line.startsWith('## '));
  return lines.slice(start + 1, length < 0 ? undefined : start + 1 + length).join('\n');
}

/**
 * Returns whether an entry under "Unreleased" announces the change of a coordinate. An entry begins with the
 * coordinate in backticks, such as `SubStatus.NEW_VALUE`, and says why it changed and what clients do.
 */
export const isAnnounced = (changelog: string, coordinate: string): boolean =>
  extractUnreleasedSection(changelog).includes(`\`${coordinate}\``);

/** Returns the changelog with a heading for the release `name` above the unreleased entries. */
export const addReleaseHeading = (changelog: string, name: string): string =>
  changelog.replace(HEADING, `${HEADING}\n\n## ${name}`);
