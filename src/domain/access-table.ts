/** The tables of who may do and see what, for readers. */
import { FIELD_RULES, FIELDS, type FieldRuleName, OPERATIONS, ROLES, type Role } from './access.ts';

const everyRole = Object.keys(ROLES) as Role[];

/** Markdown: operations by role, those for everybody in one row, then the fields that are not for all who see their object. */
export function accessAsMarkdown(): string {
  const operations = Object.entries(OPERATIONS) as [string, readonly Role[]][];
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
  return Object.entries(FIELDS).flatMap(([type, rules]) =>
    (Object.entries(rules) as [FieldRuleName, string][])
      // What a mutation gives is told by the mutation's row.
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

/** One row for all that has the same marks. */
function together(rows: readonly [string, string[]][]): string[] {
  const names = new Map<string, string[]>();
  for (const [name, marks] of rows) names.set(row(marks), [...(names.get(row(marks)) ?? []), `\`${name}\``]);
  return [...names].map(([marks, named]) => `| ${named.join(', ')} ${marks}`);
}

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

const BEGIN = '<!-- roles: printed by `npm run roles` -->';
const END = '<!-- roles: end -->';

/** A document whose part between the two markers is the tables as they are now. */
export function withAccessTable(document: string): string {
  const [before, rest] = document.split(BEGIN);
  const after = rest?.split(END)[1];
  if (after === undefined) throw new Error(`The document lacks ${BEGIN} or ${END}`);
  return `${before}${BEGIN}\n\n${accessAsMarkdown()}\n\n${END}${after}`;
}
