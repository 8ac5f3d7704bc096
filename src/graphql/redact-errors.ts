/**
 * Reasons that graphql-js gives for refusing a variable, each with a replacement that does not quote the
 * variable's value.
 */
const REASONS: readonly [RegExp, string][] = [
  [/(Field "\w+" of required type "[\w![\]]+" was not provided\.)$/, '$1'],
  [/(Expected non-nullable type "[\w![\]]+" not to be null\.)$/, '$1'],
  [/(Expected type "\w+" to be an object\.)$/, '$1'],
  [/(?:Enum "(\w+)"|\b(\w+)) cannot represent [\s\S]*$/, 'The value is not of type "$1$2".'],
  [/Expected type "(\w+)"[\s\S]*$/, 'The value is not of type "$1".'],
];

const MAX_TAIL_LENGTH = 500;

/**
 * Reasons that end with suggestions ("Did you mean"): the text with which such a reason begins, the pattern
 * of the whole reason, and its replacement.
 */
const SUGGESTING: readonly [string, RegExp, string][] = [
  ['Field "', /^(Field "\w+" is not defined by type "\w+"\.(?: Did you mean [^;]*)?)$/, '$1'],
  [
    'does not exist in "',
    /^does not exist in "(\w+)" enum\.(?: Did you mean [^;]*)?$/,
    'The value is not one of the enum "$1".',
  ],
];

/**
 * Messages of graphql-js about literals in the document, each with a replacement that does not quote the
 * literal.
 */
const LITERALS: readonly [RegExp, string][] = [
  [/^Expected value of type "([\w![\]]+)", found [\s\S]*$/, 'Expected a value of type "$1" here.'],
  [/^(Enum "\w+"|\w+) cannot represent [\s\S]*$/, '$1 cannot represent the value given here.'],
  [/^(Syntax Error: [^\n]{0,60}?\b(?:String|BlockString|Int|Float)) "[\s\S]*$/, '$1.'],
];

/**
 * Removes quoted values from an error message of graphql-js, because they may be personal data, such as a
 * phone number. Other messages are returned unchanged.
 */
export function redactErrorMessage(message: string): string {
  const [, variable] = message.match(/^(Variable "\$\w+") got invalid value /) ?? [];
  if (!variable) return LITERALS.reduce((text, [found, words]) => text.replace(found, words), message);
  // Searches only the end of the message. In a whole message, a value that an attacker crafted would make the
  // regular expression take quadratic time (ReDoS).
  const end = message.slice(-MAX_TAIL_LENGTH);
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
