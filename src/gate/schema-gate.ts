/**
 * Whether clients of the last release can live with the present schema. A tool of developers: it needs
 * `@graphql-inspector/core`, a devDependency, and nothing that serves requests imports it.
 */
import { type Change, CriticalityLevel, diff } from '@graphql-inspector/core';
import { buildSchema, type GraphQLSchema, parse, validate } from 'graphql';
import { type Behaviour, behaviourChanges } from './behaviour.ts';
import { announces } from './changelog.ts';
import { type Deprecation, dayOf, deprecationsOf, earliestRemoval, NOTICE_DAYS } from './deprecations.ts';

/** What a release promises. */
export interface Contract {
  readonly sdl: string;
  readonly behaviour: Behaviour;
}

export interface Question {
  readonly released: Contract;
  readonly present: Contract;
  /** The operations of the client kit. */
  readonly operations: string;
  readonly changelog: string;
  readonly today: Date;
}

/** Something that was found; one that fails stops a release. */
export interface Finding {
  readonly fails: boolean;
  /** Such as `SubStatus.NEW_VALUE`, or the name of an operation. */
  readonly coordinate: string;
  readonly what: string;
  readonly whom: string;
  readonly todo: string;
}

/** Everything to be said about the step from the last release to the present. */
export async function askGate(question: Question): Promise<Finding[]> {
  const before = buildSchema(question.released.sdl);
  const after = buildSchema(question.present.sdl);
  const changes = await diff(before, after);
  return [
    ...changes.flatMap((change) => ofChange(change, before, question)),
    ...ofDeprecations(before, after, question.today),
    ...ofOperations(after, question.operations),
    ...ofBehaviour(question),
  ];
}

function ofChange(change: Change, before: GraphQLSchema, { changelog, today }: Question): Finding[] {
  const coordinate = coordinateOf(change);
  // What is said with directives is told to clients by other changes, or not at all.
  if (coordinate.includes('@')) return [];
  const finding = { coordinate, what: change.message };
  if (change.criticality.level === CriticalityLevel.Breaking) {
    const removal = change.type.endsWith('_REMOVED') ? deprecationsOf(before).get(coordinate)?.removal : null;
    if (removal && removal <= dayOf(today)) return [dueAndGone(finding, removal)];
    return [{ ...finding, fails: true, whom: hurtBy(change), todo: insteadOf(change, removal ?? null) }];
  }
  if (change.criticality.level !== CriticalityLevel.Dangerous) return [];
  return [announced({ ...finding, whom: hurtBy(change) }, changelog)];
}

/** A member of a union has no path of its own. */
function coordinateOf({ type, path = '', meta }: Change): string {
  if (type === 'UNION_MEMBER_ADDED') return `${path}.${meta.addedUnionMemberTypeName}`;
  if (type === 'UNION_MEMBER_REMOVED') return `${path}.${meta.removedUnionMemberTypeName}`;
  return path;
}

const dueAndGone = (finding: Pick<Finding, 'coordinate' | 'what'>, removal: string): Finding => ({
  ...finding,
  fails: false,
  whom: `Nobody who heeded the notice: its removal was announced for ${removal}.`,
  todo: 'Nothing.',
});

/** Something that clients may not expect: allowed where the changelog says it. */
function announced(finding: Pick<Finding, 'coordinate' | 'what' | 'whom'>, changelog: string): Finding {
  if (announces(changelog, finding.coordinate))
    return { ...finding, fails: false, todo: 'Nothing: the changelog announces it.' };
  return {
    ...finding,
    fails: true,
    todo: `Announce it in schema/CHANGELOG.md under "Unreleased": - \`${finding.coordinate}\`: why, and what clients do.`,
  };
}

const HURT: readonly (readonly [RegExp, string])[] = [
  [
    /^ENUM_VALUE_ADDED/,
    'Clients that switch over the values and have no default, and caches that know them all.',
  ],
  [/^ENUM_VALUE_REMOVED/, 'Clients that send or compare with it: their operations are refused.'],
  [/^UNION_MEMBER_ADDED/, 'Clients that match on the members and have no default.'],
  [/^UNION_MEMBER_REMOVED/, 'Clients with a fragment on it: their operations are refused.'],
  [/_ADDED$/, 'Clients that do not send it: their operations are refused, or mean something else.'],
  [/DEFAULT/, 'Clients that leave it out: the same operation now means something else.'],
  [/^(FIELD_ARGUMENT|INPUT_FIELD)_TYPE/, 'Clients that send it as it was: their operations are refused.'],
  [
    /TYPE|KIND|INTERFACE/,
    'Clients that select it: the types generated for them are wrong, or their operations refused.',
  ],
  [/_REMOVED$/, 'Clients that use it: their operations are refused.'],
];

const hurtBy = ({ type }: Change): string =>
  HURT.find(([kind]) => kind.test(type))?.[1] ?? 'Clients that rely on it as it was.';

function insteadOf({ type, path = '' }: Change, removal: string | null): string {
  if (removal) return `Wait: its removal is announced for ${removal}.`;
  if (type.endsWith('_REMOVED'))
    return `Put it back and deprecate it: @deprecated(reason: "Use … instead. Removal: YYYY-MM-DD."), ${NOTICE_DAYS} days ahead or more.`;
  if (type.endsWith('_ADDED')) return `Make ${path} optional, and give what is left out its old meaning.`;
  return `Leave ${path} as it was, and add another beside it.`;
}

function ofDeprecations(before: GraphQLSchema, after: GraphQLSchema, today: Date): Finding[] {
  const known = deprecationsOf(before);
  return [...deprecationsOf(after).values()].flatMap((deprecation): Finding[] => {
    const wrong = wrongWith(deprecation, known.get(deprecation.coordinate) ?? null, today);
    if (wrong) return [{ coordinate: deprecation.coordinate, fails: true, whom: PLANNERS, ...wrong }];
    if ((deprecation.removal ?? '') > dayOf(today)) return [];
    const what = `Its removal was announced for ${deprecation.removal}.`;
    const todo = 'Remove it when you like.';
    return [{ coordinate: deprecation.coordinate, fails: false, what, whom: 'Nobody.', todo }];
  });
}

const PLANNERS = 'Clients that have to plan when to move.';

/** What is wrong with a deprecation; one that was released keeps the date that it was given, or a later one. */
function wrongWith(
  { reason, removal }: Deprecation,
  before: Deprecation | null,
  today: Date,
): Pick<Finding, 'what' | 'todo'> | null {
  if (!removal)
    return {
      what: `It is deprecated without a date: "${reason}".`,
      todo: 'End the reason with the day, as in: Removal: 2027-03-31.',
    };
  const earliest = before?.removal ?? earliestRemoval(today);
  if (removal >= earliest) return null;
  if (before?.removal)
    return { what: `Its removal was put forward from ${earliest} to ${removal}.`, todo: 'Keep the date.' };
  return {
    what: `Its removal on ${removal} leaves clients less than ${NOTICE_DAYS} days.`,
    todo: `Name ${earliest} or a later day.`,
  };
}

function ofOperations(schema: GraphQLSchema, operations: string): Finding[] {
  return validate(schema, parse(operations)).map(({ message, locations }) => ({
    coordinate: `schema/operations.graphql:${locations?.[0]?.line ?? 1}`,
    fails: true,
    what: message,
    whom: 'Clients that took the operation over as it stands.',
    todo: 'Have the schema serve it again; where it was never released, mend the operation.',
  }));
}

function ofBehaviour({ released, present, changelog }: Question): Finding[] {
  return behaviourChanges(released.behaviour, present.behaviour).map(({ coordinate, message }) =>
    announced(
      {
        coordinate,
        what: `A change of behaviour. ${message}`,
        whom: 'Screens and back ends that go by what a state means, or by what may follow it.',
      },
      changelog,
    ),
  );
}
