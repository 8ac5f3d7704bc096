/**
 * Checks whether clients of the last release still work with the current schema. The check is a developer
 * tool: it needs the devDependency `@graphql-inspector/core`, and the server never imports it.
 */
import { type Change, CriticalityLevel, diff } from '@graphql-inspector/core';
import { buildSchema, type GraphQLSchema, parse, validate } from 'graphql';
import { type BehaviourSnapshot, findBehaviourChanges } from './behaviour.ts';
import { isAnnounced } from './changelog.ts';
import {
  type Deprecation,
  findDeprecations,
  formatUtcDay,
  getEarliestRemovalDay,
  MIN_DEPRECATION_NOTICE_DAYS,
} from './deprecations.ts';

/** Schema and behaviour of a release. */
export interface ApiContract {
  readonly sdl: string;
  readonly behaviour: BehaviourSnapshot;
}

export interface SchemaCheckInput {
  readonly released: ApiContract;
  readonly present: ApiContract;
  /**
   * Published operations (`schema/operations.graphql`), as GraphQL text. The present schema must support all
   * operations.
   */
  readonly operations: string;
  readonly changelog: string;
  readonly today: Date;
}

/** Finding of the check. If `fails` is true, the finding blocks the release. */
export interface SchemaFinding {
  readonly fails: boolean;
  /**
   * Place of the finding: a schema coordinate such as `SubStatus.NEW_VALUE`, or the line of an operation such
   * as `schema/operations.graphql:12`.
   */
  readonly coordinate: string;
  readonly what: string;
  readonly whom: string;
  readonly todo: string;
}

/** Compares the current schema and behaviour with the last release and returns all findings. */
export async function checkAgainstLastRelease(question: SchemaCheckInput): Promise<SchemaFinding[]> {
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

function ofChange(
  change: Change,
  before: GraphQLSchema,
  { changelog, today }: SchemaCheckInput,
): SchemaFinding[] {
  const coordinate = getCoordinate(change);
  // Skips changes of directives, whose coordinates contain @: they show up as other changes as well, or do
  // not affect clients.
  if (coordinate.includes('@')) return [];
  const finding = { coordinate, what: change.message };
  if (change.criticality.level === CriticalityLevel.Breaking) {
    const removal = change.type.endsWith('_REMOVED')
      ? findDeprecations(before).get(coordinate)?.removal
      : null;
    if (removal && removal <= formatUtcDay(today)) return [dueAndGone(finding, removal)];
    return [
      { ...finding, fails: true, whom: hurtBy(change), todo: findReplacement(change, removal ?? null) },
    ];
  }
  if (change.criticality.level !== CriticalityLevel.Dangerous) return [];
  return [announced({ ...finding, whom: hurtBy(change) }, changelog)];
}

/**
 * Returns the schema coordinate of a change. For a union member, the member's name is added, because `path`
 * lacks it.
 */
function getCoordinate({ type, path = '', meta }: Change): string {
  if (type === 'UNION_MEMBER_ADDED') return `${path}.${meta.addedUnionMemberTypeName}`;
  if (type === 'UNION_MEMBER_REMOVED') return `${path}.${meta.removedUnionMemberTypeName}`;
  return path;
}

const dueAndGone = (finding: Pick<SchemaFinding, 'coordinate' | 'what'>, removal: string): SchemaFinding => ({
  ...finding,
  fails: false,
  whom: `No client that followed the deprecation: the removal was announced for ${removal}.`,
  todo: 'Nothing.',
});

/**
 * Returns the finding for a change that breaks no operation but may surprise clients, such as a new enum value. It blocks
 * the release unless the changelog announces the change.
 */
function announced(
  finding: Pick<SchemaFinding, 'coordinate' | 'what' | 'whom'>,
  changelog: string,
): SchemaFinding {
  if (isAnnounced(changelog, finding.coordinate))
    return { ...finding, fails: false, todo: 'Nothing: the changelog announces the change.' };
  return {
    ...finding,
    fails: true,
    todo: `Announce the change in schema/CHANGELOG.md under "Unreleased": - \`${finding.coordinate}\`: why, and what clients do.`,
  };
}

const HURT: readonly (readonly [RegExp, string])[] = [
  [
    /^ENUM_VALUE_ADDED/,
    'Clients that switch over the values without a default case, and caches that list all values.',
  ],
  [/^ENUM_VALUE_REMOVED/, 'Clients that send the value or compare with it: their operations are refused.'],
  [/^UNION_MEMBER_ADDED/, 'Clients that match on the members without a default case.'],
  [/^UNION_MEMBER_REMOVED/, 'Clients that have a fragment on the member: their operations are refused.'],
  [
    /_ADDED$/,
    'Clients that do not send the new element: their operations are refused, or change their meaning.',
  ],
  [/DEFAULT/, 'Clients that omit the element: the same operation changes its meaning.'],
  [/^(FIELD_ARGUMENT|INPUT_FIELD)_TYPE/, 'Clients that send the old type: their operations are refused.'],
  [
    /TYPE|KIND|INTERFACE/,
    'Clients that select the element: their generated types are wrong, or their operations are refused.',
  ],
  [/_REMOVED$/, 'Clients that use the element: their operations are refused.'],
];

const hurtBy = ({ type }: Change): string =>
  HURT.find(([kind]) => kind.test(type))?.[1] ?? 'Clients that rely on the old form.';

function findReplacement({ type, path = '' }: Change, removal: string | null): string {
  if (removal) return `Wait: the removal is announced for ${removal}.`;
  if (type.endsWith('_REMOVED'))
    return `Put the element back and deprecate it: @deprecated(reason: "Use … instead. Removal: YYYY-MM-DD."), ${MIN_DEPRECATION_NOTICE_DAYS} days ahead or more.`;
  if (type.endsWith('_ADDED')) return `Make ${path} optional, and keep the old meaning if it is omitted.`;
  return `Keep ${path} as it was, and add a new element next to it.`;
}

function ofDeprecations(before: GraphQLSchema, after: GraphQLSchema, today: Date): SchemaFinding[] {
  const known = findDeprecations(before);
  return [...findDeprecations(after).values()].flatMap((deprecation): SchemaFinding[] => {
    const wrong = wrongWith(deprecation, known.get(deprecation.coordinate) ?? null, today);
    if (wrong) return [{ coordinate: deprecation.coordinate, fails: true, whom: PLANNERS, ...wrong }];
    if ((deprecation.removal ?? '') > formatUtcDay(today)) return [];
    const what = `The removal was announced for ${deprecation.removal}.`;
    const todo = 'Remove the deprecated element at any time.';
    return [
      {
        coordinate: deprecation.coordinate,
        fails: false,
        what,
        whom: 'No client that followed the deprecation.',
        todo,
      },
    ];
  });
}

const PLANNERS = 'Clients that plan their migration by the announced date.';

/**
 * Returns what is wrong with a deprecation, or null. A deprecation that was already released must keep its
 * removal date or name a later one, because clients plan by that date.
 */
function wrongWith(
  { reason, removal }: Deprecation,
  before: Deprecation | null,
  today: Date,
): Pick<SchemaFinding, 'what' | 'todo'> | null {
  if (!removal)
    return {
      what: `The deprecation has no removal date: "${reason}".`,
      todo: 'End the reason with the removal date, such as: Removal: 2027-03-31.',
    };
  const earliest = before?.removal ?? getEarliestRemovalDay(today);
  if (removal >= earliest) return null;
  if (before?.removal)
    return {
      what: `The removal was moved from ${earliest} to the earlier ${removal}.`,
      todo: 'Keep the announced date.',
    };
  return {
    what: `The removal on ${removal} gives clients less than ${MIN_DEPRECATION_NOTICE_DAYS} days.`,
    todo: `Set the removal to ${earliest} or later.`,
  };
}

function ofOperations(schema: GraphQLSchema, operations: string): SchemaFinding[] {
  return validate(schema, parse(operations)).map(({ message, locations }) => ({
    coordinate: `schema/operations.graphql:${locations?.[0]?.line ?? 1}`,
    fails: true,
    what: message,
    whom: 'Clients that copied the operation.',
    todo: 'Make the schema support the operation again; if the operation was never released, correct it.',
  }));
}

function ofBehaviour({ released, present, changelog }: SchemaCheckInput): SchemaFinding[] {
  return findBehaviourChanges(released.behaviour, present.behaviour).map(({ coordinate, message }) =>
    announced(
      {
        coordinate,
        what: `The behaviour changed: ${message}`,
        whom: 'Clients that rely on the meaning of a status, or on the transitions that may follow it.',
      },
      changelog,
    ),
  );
}
