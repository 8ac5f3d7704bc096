/** What graphql-js says of an argument or variable that it cannot take, once the value is out of it. */
const REASONS: readonly [RegExp, string][] = [
  [/(Field "\w+" of required type "[\w![\]]+" was not provided\.)$/, '$1'],
  [/(Expected non-nullable type "[\w![\]]+" not to be null\.)$/, '$1'],
  [/(Expected type "\w+" to be an object\.)$/, '$1'],
  [/(?:Enum "(\w+)"|\b(\w+)) cannot represent [\s\S]*$/, 'It is not of type "$1$2".'],
  [/Expected type "(\w+)"[\s\S]*$/, 'It is not of type "$1".'],
];

const LONGEST_END = 500;

/** Reasons that end with suggestions: where the reason begins, and its form from there. */
const SUGGESTING: readonly [string, RegExp, string][] = [
  ['Field "', /^(Field "\w+" is not defined by type "\w+"\.(?: Did you mean [^;]*)?)$/, '$1'],
  [
    'does not exist in "',
    /^does not exist in "(\w+)" enum\.(?: Did you mean [^;]*)?$/,
    'It is no value of the enum "$1".',
  ],
];

/** The same of what is written in the operation itself. */
const LITERALS: readonly [RegExp, string][] = [
  [/^Expected value of type "([\w![\]]+)", found [\s\S]*$/, 'Expected a value of type "$1" here.'],
  [/^(Enum "\w+"|\w+) cannot represent [\s\S]*$/, '$1 cannot represent what is given here.'],
  [/^(Syntax Error: [^\n]{0,60}?\b(?:String|BlockString|Int|Float)) "[\s\S]*$/, '$1.'],
];

/**
 * graphql-js quotes the value that it cannot take, and a value may be somebody's phone: its message without any. Other
 * messages stay as they are.
 */
export function withoutValues(message: string): string {
  const [, variable] = message.match(/^(Variable "\$\w+") got invalid value /) ?? [];
  if (!variable) return LITERALS.reduce((text, [found, words]) => text.replace(found, words), message);
  // Looking through all of a value made for it would take time that grows with its square.
  const end = message.slice(-LONGEST_END);
  const at = [...end.matchAll(/ at "([a-zA-Z_][\w.[\]]*)"; /g)].at(-1)?.[1];
  const begin = `${variable} has an invalid value${at ? ` at "${at}"` : ''}`;
  for (const [beginning, found, words] of SUGGESTING) {
    const match = end.slice(end.lastIndexOf(beginning)).match(found);
    if (match) return `${begin}: ${match[0].replace(found, words)}`;
  }
  for (const [found, words] of REASONS) {
    const match = end.match(found);
    if (match) return `${begin}: ${match[0].replace(found, words)}`;
  }
  return `${begin}.`;
}
