/** Renders the access tables of `access.ts` as Markdown for the documentation (`npm run roles`). */
import {
  FIELD_ACCESS,
  FIELD_RULES,
  type FieldRuleName,
  OPERATION_ROLES,
  ROLES,
  type Role,
} from './access.ts';

const everyRole = Object.keys(ROLES) as Role[];

/**
 * Returns a Markdown table: first the operations by role, with one row for those that are open to every role,
 * then the fields that only some roles see in full.
 */
export function formatAccessTable(): string {
  const operations = Object.entries(OPERATION_ROLES) as [string, readonly Role[]][];
  const limited = operations.filter(([, roles]) => roles.length < everyRole.length);
  return [
    row(['', ...everyRole.map((role) => `\`${role}\``)]),
    row(['---', ...everyRole.map(() => ':-:')]),
    row(['queries, subscriptions', ...marksOf(everyRole)]),
    ...together(limited.map(([operation, roles]) => [operation.replace('Mutation.', ''), marksOf(roles)])),
    ...together(fieldsThatDiffer().map(([field, rule]) => [field, marksOf(FIELD_RULES[rule].roles, rule)])),
  ].join('\n');
}

function fieldsThatDiffer(): [string, FieldRuleName][] {
  return Object.entries(FIELD_ACCESS).flatMap(([type, rules]) =>
    (Object.entries(rules) as [FieldRuleName, string][])
      // Leaves out fields that every role sees (OPEN), and fields of a mutation's payload: the row of the
      // mutation already lists their roles.
      .filter(([rule]) => rule !== 'OPEN' && rule !== 'RECORDING' && rule !== 'SDK_TOKEN')
      .flatMap(([rule, fields]) => fields.split(/\s+/).map((field) => [`${type}.${field}`, rule] as never)),
  );
}

const marksOf = (roles: readonly Role[], rule?: FieldRuleName): string[] =>
  everyRole.map((role) => {
    if (roles.includes(role)) return role === 'CUSTOMER' ? 'own' : '✓';
    return rule ? (OTHERS[rule] ?? '') : '';
  });

const OTHERS: Partial<Record<FieldRuleName, string>> = {
  PHONE: '4 digits',
  WORDS: 'own words',
  WHO: 'themselves',
};

/** Merges table rows with the same marks (✓, `own` …) into one row that lists the names of all of them. */
function together(rows: readonly [string, string[]][]): string[] {
  const names = new Map<string, string[]>();
  for (const [name, marks] of rows) names.set(row(marks), [...(names.get(row(marks)) ?? []), `\`${name}\``]);
  return [...names].map(([marks, named]) => `| ${named.join(', ')} ${marks}`);
}

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

const BEGIN = '<!-- roles: printed by `npm run roles` -->';
const END = '<!-- roles: end -->';

/** Returns the document with the current access table between its two markers. */
export function replaceAccessTable(document: string): string {
  const [before, rest] = document.split(BEGIN);
  const after = rest?.split(END)[1];
  if (after === undefined) throw new Error(`the document has no ${BEGIN} or no ${END}: add both markers`);
  return `${before}${BEGIN}\n\n${formatAccessTable()}\n\n${END}${after}`;
}
