/** Migrations that run while the last release goes on using the tables. */

const BREAKPOINT = '--> statement-breakpoint';
/** How `run-migrations.ts` knows a migration whose statements are no transaction together. */
const HEADER =
  "-- Each statement by itself: indexes are built and constraints proven beside their tables' writers. What was broken off is begun anew.";

const CREATE_TABLE = /^CREATE TABLE "(\w+)"/;
const CREATE_INDEX = /^CREATE (UNIQUE )?INDEX "(\w+)" ON "(\w+)"/;
const DROP_INDEX = /^DROP INDEX "(\w+)"/;
const DROP_CONSTRAINT = /^ALTER TABLE "(\w+)" DROP CONSTRAINT "(\w+)"/;
const ADD_CONSTRAINT = /^ALTER TABLE "(\w+)" ADD CONSTRAINT "(\w+)" (CHECK|FOREIGN KEY)\b/;

/**
 * Rewrites what drizzle-kit generates so that it locks no table for long: indexes are built and dropped CONCURRENTLY,
 * constraints added NOT VALID and validated after. Each statement can then be run again, since the migration is no
 * transaction any more. A migration that needs none of this is returned as it is.
 */
export function onlineMigration(generated: string): string {
  const statements = generated
    .split(BREAKPOINT)
    .map((statement) => statement.trim().replace(/;$/, ''))
    .filter(Boolean);
  const made = new Set(statements.flatMap((statement) => statement.match(CREATE_TABLE)?.[1] ?? []));
  const rewritten = statements.map((statement) => online(statement, made));
  if (rewritten.every((steps, index) => steps.length === 1 && steps[0] === statements[index]))
    return generated;
  const repeatable = rewritten.flat().map((statement) =>
    statement
      .replace(/^CREATE TABLE (?!IF NOT EXISTS)/, 'CREATE TABLE IF NOT EXISTS ')
      .replace(/^(CREATE (?:UNIQUE )?INDEX) "/, '$1 IF NOT EXISTS "')
      .replace(/(^ALTER TABLE "\w+" ADD COLUMN) (?!IF NOT EXISTS)/, '$1 IF NOT EXISTS '),
  );
  const once = repeatable.filter((statement, index) => repeatable.indexOf(statement) === index);
  return `${HEADER}\n${once.join(`;${BREAKPOINT}\n`)};\n`;
}

/** The statements in the place of one; nobody uses yet a table that the same migration makes. */
function online(statement: string, made: ReadonlySet<string>): string[] {
  const [createIndex, unique = '', index, onTable = ''] = statement.match(CREATE_INDEX) ?? [];
  if (createIndex && !made.has(onTable)) {
    const concurrently = `CREATE ${unique}INDEX CONCURRENTLY "${index}" ON "${onTable}"`;
    // A build that was broken off leaves an index that is not valid.
    return [`DROP INDEX CONCURRENTLY IF EXISTS "${index}"`, statement.replace(createIndex, concurrently)];
  }
  const [, dropped] = statement.match(DROP_INDEX) ?? [];
  if (dropped) return [`DROP INDEX CONCURRENTLY IF EXISTS "${dropped}"`];
  const [dropConstraint, table, constraint] = statement.match(DROP_CONSTRAINT) ?? [];
  if (dropConstraint)
    return [
      statement.replace(dropConstraint, `ALTER TABLE "${table}" DROP CONSTRAINT IF EXISTS "${constraint}"`),
    ];
  const [addConstraint, addedTo = '', added] = statement.match(ADD_CONSTRAINT) ?? [];
  if (addConstraint && !made.has(addedTo))
    return [
      `ALTER TABLE "${addedTo}" DROP CONSTRAINT IF EXISTS "${added}"`,
      `${statement} NOT VALID`,
      `ALTER TABLE "${addedTo}" VALIDATE CONSTRAINT "${added}"`,
    ];
  return [statement];
}
