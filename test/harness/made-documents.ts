/** Generates random operations from the schema, and different texts for the same selection. */
import {
  type GraphQLInputType,
  getNamedType,
  isInterfaceType,
  isLeafType,
  isObjectType,
  isUnionType,
} from 'graphql';
import { createSeededRandom as createChance } from '../../src/sandbox/seeded-random.ts';
import { fieldsOf, fitting, type Given, literal, schema } from './everything.ts';

/** Random source. Returns an integer from 0 (inclusive) to `count` (exclusive). */
export type Chance = (count: number) => number;

/** Returns a random source that is deterministic for a seed. */
export function chanceOf(seed: number): Chance {
  const seeded = createChance('made documents', seed);
  return (count) => seeded.integer(0, count - 1);
}

export const oneOf = <T>(chance: Chance, all: readonly T[]): T => all[chance(all.length)] as T;
const sometimes = (chance: Chance, oneIn: number): boolean => chance(oneIn) === 0;

/** A selected field. */
export interface Wanted {
  /** Alias of the field; null if the response key is the field's name. */
  readonly alias: string | null;
  /** The field with its arguments, as GraphQL text. */
  readonly call: string;
  /** Type condition, if the field belongs to one member of a union or interface. Otherwise null. */
  readonly on: string | null;
  /** Name of the field's type. */
  readonly type: string;
  /** Sub-selection; null for a leaf. */
  readonly below: readonly Wanted[] | null;
}

export interface MadeOf {
  readonly chance: Chance;
  /** Values of arguments, by name. */
  readonly given: Given;
  /** Prints an argument's value; by default as a literal. */
  readonly argument?: (name: string, type: GraphQLInputType) => string;
  /** Returns an alias or null. */
  readonly alias?: () => string | null;
}

/** Selects random fields of a type to a given depth. Response keys are unique in each selection. */
export function wantedOf(typeName: string, levels: number, made: MadeOf): Wanted[] {
  const { chance } = made;
  const type = schema.getType(typeName);
  const found = new Map<string, Wanted>();
  const add = (wanted: Wanted) => {
    const key = wanted.alias ?? wanted.call.split('(')[0];
    if (!found.has(key as string)) found.set(key as string, wanted);
  };
  const typename = { alias: null, call: '__typename', on: null, type: 'String', below: null };
  if (isUnionType(type) || isInterfaceType(type)) {
    add(typename);
    const possible = schema.getPossibleTypes(type);
    for (let more = 1 + chance(3); more > 0; more -= 1) {
      const member = oneOf(chance, possible);
      for (const wanted of wantedOf(member.name, Math.min(levels, 1), made)) {
        const name = wanted.call.split(/\W/)[0] as string;
        // Uses an alias that names the member, because fields of different types with one response key cannot
        // be merged.
        const alias =
          name === '__typename' ? null : `${member.name[0]?.toLowerCase()}${member.name.slice(1)}${name}`;
        add({ ...wanted, alias, on: member.name });
      }
    }
    return [...found.values()];
  }
  if (!isObjectType(type)) return [typename];
  const fields = fieldsOf(type).filter(({ type: of }) => levels > 0 || isLeafType(getNamedType(of)));
  if (fields.length === 0 || sometimes(chance, 8)) add(typename);
  for (let more = 1 + chance(4); more > 0 && fields.length > 0; more -= 1) {
    const field = oneOf(chance, fields);
    const named = getNamedType(field.type);
    add({
      alias: made.alias?.() ?? null,
      call: callOf(field, made),
      on: null,
      type: named.name,
      below: isLeafType(named) ? null : wantedOf(named.name, levels - 1, made),
    });
  }
  return [...found.values()];
}

function callOf(field: ReturnType<typeof fieldsOf>[number], { chance, given, argument }: MadeOf): string {
  const written = argument ?? ((name, type) => literal(fitting(name, type, given), getNamedType(type)));
  const asked = field.args.filter(
    ({ name, type }) =>
      String(type).endsWith('!') || (name === 'first' ? true : sometimes(chance, 4) && name !== 'last'),
  );
  const args = asked.map(({ name, type }) => `${name}: ${written(name, type)}`);
  return args.length > 0 ? `${field.name}(${args.join(', ')})` : field.name;
}

const headOf = ({ alias, call }: Wanted): string => (alias ? `${alias}: ${call}` : call);

/** Prints a selection in the simplest way: each field once, inline fragments only for type conditions. */
export const whole = (wanted: readonly Wanted[]): string =>
  wanted
    .map((each) => {
      const text = `${headOf(each)}${each.below ? ` { ${whole(each.below)} }` : ''}`;
      return each.on ? `... on ${each.on} { ${text} }` : text;
    })
    .join(' ');

/**
 * Prints a selection with its sub-selections split at random over repeated fields, and some fields moved to
 * fragments, which are spread once or twice. Adds these fragments to `fragments`.
 */
export function split(
  wanted: readonly Wanted[],
  type: string,
  chance: Chance,
  fragments: string[],
  condition: () => string = () => '',
): string {
  const dependencies = wanted.flatMap((each) =>
    partsOf(each.below, chance).map((below) => {
      const inner = below ? ` { ${split(below, each.type, chance, fragments, condition)} }` : '';
      const text = `${headOf(each)}${condition()}${inner}`;
      return each.on ? `... on ${each.on}${condition()} { ${text} }` : text;
    }),
  );
  const shuffled = dependencies.map((text) => ({ text, at: chance(1_000) })).toSorted((a, b) => a.at - b.at);
  return shuffled
    .map(({ text }) => {
      const how = chance(6);
      if (how === 0) return `... on ${type}${condition()} { ${text} }`;
      if (how === 1) return `...${condition()} { ${text} }`;
      if (how > 3) return text;
      const name = `F${fragments.length}`;
      fragments.push(`fragment ${name} on ${type} { ${text} }`);
      const spread = () => `...${name}${condition()}`;
      return how === 2 ? `${spread()} ${spread()}` : spread();
    })
    .join(' ');
}

function partsOf(below: readonly Wanted[] | null, chance: Chance): (readonly Wanted[] | null)[] {
  if (!below) return sometimes(chance, 6) ? [null, null] : [null];
  const dependencies = Array.from({ length: 1 + chance(3) }, (): Wanted[] => []);
  for (const each of below) {
    oneOf(chance, dependencies).push(each);
    if (sometimes(chance, 5)) oneOf(chance, dependencies).push(each);
  }
  return dependencies.filter(({ length }) => length > 0).map((part) => [...new Set(part)]);
}

/** A generated query with its variables. */
export interface Made {
  readonly query: string;
  readonly variables: Record<string, unknown>;
}

const NAMES = [
  'a',
  'b',
  'id',
  'first',
  'constructor',
  'toString',
  '__proto__',
  'a_b',
  'session_user',
  'class',
  'viewer',
];
const BOOLEANS = ['Boolean!', 'Boolean! = true', 'Boolean = true', 'Boolean = false', 'Boolean'];
const JUNK = [null, true, 0, -1, 1.5, 1e300, '', 'x', '__MAGIC_NAN__', [], [null], {}, { a: 1 }, [[['x']]]];

/** Generates a query, usually a valid one, that may use variables, directives, aliases and fragments. */
export function madeQuery(chance: Chance, given: Given): Made {
  const declared = new Map<string, string>();
  const variables: Record<string, unknown> = {};
  const declare = (type: string, value: unknown): string => {
    const name = sometimes(chance, 12) ? oneOf(chance, NAMES) : `v${declared.size}`;
    if (!declared.has(name)) {
      declared.set(name, type);
      // Uses defineProperty, because an assignment to `__proto__` would set the prototype instead of a
      // property.
      if (value !== undefined)
        Object.defineProperty(variables, name, { value, enumerable: true, configurable: true });
    }
    return `$${name}`;
  };
  const condition = () => {
    if (!sometimes(chance, 9)) return '';
    const value = sometimes(chance, 2)
      ? oneOf(chance, ['true', 'false'])
      : declare(oneOf(chance, BOOLEANS), oneOf(chance, [true, false, true, false, null, undefined]));
    return ` @${oneOf(chance, ['skip', 'include'])}(if: ${value})`;
  };
  const made: MadeOf = {
    chance,
    given,
    alias: () => (sometimes(chance, 7) ? oneOf(chance, NAMES) : null),
    argument: (name, type) => {
      const value = sometimes(chance, 12) ? oneOf(chance, JUNK) : fitting(name, type, given);
      const isLiteral =
        sometimes(chance, 2) && (typeof value !== 'object' || value === null || !sometimes(chance, 3));
      if (!isLiteral) return declare(String(type), sometimes(chance, 15) ? undefined : value);
      return literal(value, getNamedType(type));
    },
  };
  const fragments: string[] = [];
  const selection = split(wantedOf('Query', 3, made), 'Query', chance, fragments, condition);
  const head = [...declared].map(([name, type]) => `$${name}: ${type}`).join(', ');
  const query = `query ${sometimes(chance, 3) ? 'Q' : ''}${head ? `(${head})` : ''} { ${selection} } ${fragments.join(' ')}`;
  return { query, variables };
}
