/**
 * Rules for migrations that run while replicas of the last release run: they take no long lock and remove
 * nothing that the last release uses.
 */

/**
 * Matches a comment that allows a destructive statement, because it says why the last release does not use what
 * the statement removes.
 */
const CONTRACT = /^--\s*contract:\s*\S+/m;
const BY_ITSELF = /^-- Each statement by itself/;

interface Rule {
  readonly forbids: RegExp;
  readonly because: string;
}

const RULES: readonly Rule[] = [
  {
    forbids: /\bDROP (TABLE|COLUMN|VIEW|TYPE|SCHEMA|FUNCTION|TRIGGER)\b/,
    because: 'the last release may use what it drops',
  },
  { forbids: /\bRENAME\b/, because: 'the last release uses the old name' },
  {
    forbids: /\bALTER COLUMN\b.*\bTYPE\b/,
    because: 'a change of type rewrites the whole table under an exclusive lock',
  },
  { forbids: /\bSET NOT NULL\b/, because: 'the last release may leave the column null' },
  { forbids: /\bDROP DEFAULT\b/, because: 'the last release may insert rows without a value for the column' },
  {
    forbids: /\bADD COLUMN\b(?!.*\bDEFAULT\b).*\bNOT NULL\b/,
    because: 'the last release does not fill the column: give it a default',
  },
  {
    forbids:
      /\bADD COLUMN\b.*(\bDEFAULT \w+\(|\bGENERATED ALWAYS AS\b|\bSERIAL\b|\bUNIQUE\b|\bPRIMARY KEY\b)/,
    because: 'such a column makes PostgreSQL read or write the whole table',
  },
  {
    forbids: /\bADD CONSTRAINT\b.*\b(CHECK|FOREIGN KEY)\b(?!.*\bNOT VALID\b)/,
    because: 'add the constraint NOT VALID',
  },
  {
    forbids: /\bADD CONSTRAINT\b.*\b(UNIQUE|PRIMARY KEY)\b(?!.*\bUSING INDEX\b)/,
    because: 'build the index of the constraint CONCURRENTLY first',
  },
  {
    forbids: /\b(CREATE( UNIQUE)?|DROP) INDEX (?!CONCURRENTLY\b)/,
    because: 'create or drop the index CONCURRENTLY',
  },
  {
    forbids: /\b(TRUNCATE|CLUSTER|VACUUM FULL|LOCK TABLE|REINDEX)\b/,
    because: 'the statement locks the whole table exclusively',
  },
  {
    forbids: /^(UPDATE|DELETE|WITH)\b/,
    because: 'the statement keeps its row locks until it ends: change rows in batches, and commit each batch',
  },
];

/** Statements that do harm only inside a transaction, because a transaction holds all locks until its end. */
const WITHIN_A_TRANSACTION: readonly Rule[] = [
  {
    forbids: /\bVALIDATE CONSTRAINT\b/,
    because: 'earlier statements of the transaction hold their locks until the commit: run each by itself',
  },
  {
    forbids: /\bCONCURRENTLY\b/,
    because: 'CONCURRENTLY cannot be in a transaction: run each statement by itself',
  },
  { forbids: /^DO\b/, because: 'a transaction would not commit its batches: run each statement by itself' },
];

const REPEATABLE = /\bIF (NOT )?EXISTS\b|\bOR REPLACE\b|\bVALIDATE\b|\bSET\b|^GRANT\b|^DO\b/;
const nameIn = (statement: string): string | null =>
  statement.match(
    /\b(?:INDEX CONCURRENTLY|INDEX|TABLE|CONSTRAINT)\s+(?:IF (?:NOT )?EXISTS\s+)?"(\w+)"/,
  )?.[1] ?? null;
const CONSTRAINT = /\b(?:ADD|DROP) CONSTRAINT\s+(?:IF EXISTS\s+)?"(\w+)"/;

/** Returns a complaint for each statement of a migration that must not run next to the last release. */
export function complaintsAbout(migration: string): string[] {
  const byItself = BY_ITSELF.test(migration);
  const complaints: string[] = [];
  const made = new Set<string>();
  let before: string[] = [];
  for (const part of migration.split('--> statement-breakpoint')) {
    const statement = part
      .replace(/^\s*--.*$/gm, '')
      .replace(/\s+/g, ' ')
      .trim();
    const table = statement.match(/^CREATE TABLE (?:IF NOT EXISTS )?"(\w+)"/i)?.[1];
    if (table) made.add(table);
    const target = statement.match(/\b(?:ON|ALTER TABLE|UPDATE|INSERT INTO) (?:ONLY )?"(\w+)"/i)?.[1];
    const rules = [...RULES, ...(byItself ? [] : WITHIN_A_TRANSACTION)];
    const broken =
      CONTRACT.test(part) || (target && made.has(target)) ? undefined : ruleAgainst(statement, rules);
    if (broken) complaints.push(`${statement.slice(0, 80)}: ${broken.because}`);
    else if (byItself && !bearsRepeating(statement, before))
      complaints.push(`${statement.slice(0, 80)}: the statement cannot be run again after an interruption`);
    before = [...before, statement];
  }
  return complaints;
}

const ruleAgainst = (statement: string, rules: readonly Rule[]): Rule | undefined =>
  rules.find(({ forbids }) => new RegExp(forbids, 'i').test(statement));

/**
 * Returns whether a statement can be run again: it contains IF NOT EXISTS or the like, or an earlier statement
 * drops its object IF EXISTS.
 */
function bearsRepeating(statement: string, before: readonly string[]): boolean {
  if (new RegExp(REPEATABLE, 'i').test(statement)) return true;
  const name = statement.match(CONSTRAINT)?.[1] ?? nameIn(statement);
  return before.some((each) => name !== null && each.includes(`EXISTS "${name}"`));
}
