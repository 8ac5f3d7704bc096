/** Finds deprecations, whose reasons must name a date: `@deprecated(reason: "Use x. Removal: 2027-03-31.")`. */
import { type GraphQLSchema, isEnumType, isInputObjectType, isInterfaceType, isObjectType } from 'graphql';

/** Minimum number of days between the release of a deprecation and its removal. */
export const MIN_DEPRECATION_NOTICE_DAYS = 90;

export interface Deprecation {
  readonly coordinate: string;
  readonly reason: string;
  /** Date such as `2027-03-31`; null if the reason names no valid date. */
  readonly removal: string | null;
}

/** Returns all deprecations by coordinate, such as `Type.field` and `Type.field.argument`. */
export function findDeprecations(schema: GraphQLSchema): Map<string, Deprecation> {
  const found = new Map<string, Deprecation>();
  const note = (coordinate: string, reason: string | null | undefined) => {
    if (reason != null) found.set(coordinate, { coordinate, reason, removal: removalIn(reason) });
  };
  for (const type of Object.values(schema.getTypeMap()).filter(({ name }) => !name.startsWith('__'))) {
    if (isEnumType(type))
      for (const value of type.getValues()) note(`${type.name}.${value.name}`, value.deprecationReason);
    if (!isObjectType(type) && !isInterfaceType(type) && !isInputObjectType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      note(`${type.name}.${field.name}`, field.deprecationReason);
      for (const argument of 'args' in field ? field.args : [])
        note(`${type.name}.${field.name}.${argument.name}`, argument.deprecationReason);
    }
  }
  return found;
}

function removalIn(reason: string): string | null {
  const [, date] = reason.match(/\bRemoval: (\d{4}-\d{2}-\d{2})\./) ?? [];
  const time = Date.parse(date ?? '');
  return date && !Number.isNaN(time) && formatUtcDay(new Date(time)) === date ? date : null;
}

/** Returns the UTC day, such as `2027-03-31`, so that days can be compared as text. */
export const formatUtcDay = (date: Date): string => date.toISOString().slice(0, 10);

/** Returns the earliest removal day that gives clients MIN_DEPRECATION_NOTICE_DAYS from today. */
export const getEarliestRemovalDay = (today: Date): string =>
  formatUtcDay(new Date(today.getTime() + MIN_DEPRECATION_NOTICE_DAYS * 86_400_000));
