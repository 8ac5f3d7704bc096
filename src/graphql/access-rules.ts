/**
 * Enforces the access tables of `domain/access.ts` in one place: wraps the resolvers of root fields, and of
 * fields that only some roles may see.
 */
import {
  defaultFieldResolver,
  GraphQLError,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
  isNonNullType,
  isObjectType,
} from 'graphql';
import { formatPersonalDataRowKey } from '../db/audit/personal-data-reads.ts';
import {
  FIELD_RULES,
  findFieldRule,
  hasAnyRole,
  isRecordedNameOf,
  isVisibleToAllStaff,
  maySeeField,
  OPERATION_ROLES,
  type Role,
} from '../domain/access.ts';
import type { Context } from './context.ts';
import { findSelectedFields } from './selection.ts';

type AnyField = GraphQLField<unknown, Context>;

/**
 * Wraps the resolvers of a schema, so that they enforce the access tables of `domain/access.ts`.
 * @throws Error if the schema has a field that the tables lack
 */
export function applyAccessRules(schema: GraphQLSchema): GraphQLSchema {
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    const guard = roots.includes(type) ? guardOperation : guardField;
    for (const field of Object.values(type.getFields())) guard(type, field);
  }
  return schema;
}

function guardOperation({ name: root }: GraphQLObjectType, field: AnyField): void {
  const operation = `${root}.${field.name}`;
  const allowed: readonly Role[] | undefined = OPERATION_ROLES[operation as keyof typeof OPERATION_ROLES];
  if (!allowed)
    throw new Error(
      `${operation} is not in OPERATION_ROLES of src/domain/access.ts: add it there with the roles that may use it`,
    );
  const part = root === 'Subscription' ? 'subscribe' : 'resolve';
  const inner = field[part] ?? defaultFieldResolver;
  field[part] = (source, args, context, info) => {
    if (!hasAnyRole(context.viewer, allowed)) throw forbidden(field.name, allowed);
    context.shown?.noteOperation(operation);
    // Reads the end of the feed (`feedHead`) before any other field of the query. Otherwise a transition
    // committed between the two reads could be missing both from the answer and from a subscription that
    // starts at `feedCursor` (race).
    if (root === 'Query' && findSelectedFields(info.operation, info.fragments).has('feedCursor'))
      return context.feedHead().then(() => inner(source, args, context, info));
    return inner(source, args, context, info);
  };
}

/**
 * Wraps the resolver of a field that not every viewer of its object may see. Most fields have the rule OPEN
 * and stay unwrapped, because a wrapper takes time at every execution.
 */
function guardField({ name: type }: GraphQLObjectType, field: AnyField): void {
  const rule = findFieldRule(type, field.name);
  if (!rule)
    throw new Error(
      `${type}.${field.name} is not in FIELD_ACCESS of src/domain/access.ts: add it there with its access rule`,
    );
  if (rule === 'OPEN') return;
  const { roles, ...kind } = FIELD_RULES[rule];
  const forAllStaff = isVisibleToAllStaff(rule);
  const inner = field.resolve ?? defaultFieldResolver;
  field.resolve = (source, args, context, info) => {
    if ('personal' in kind && context.live) throw notInFrames();
    // Reads `context.viewer` only if the value depends on who the viewer is. Reading it makes a subscription
    // execute its frames (results) once for each viewer instead of once for all (see `FrameContext`).
    const shown =
      (forAllStaff && context.staff) ||
      maySeeField(context.viewer, rule, ownerOf(source as Guarded, field.name));
    if (shown) {
      const value = inner(source, args, context, info);
      // The database holds a pseudonym of the customer. Customers who see themselves get their own token subject
      // (`sub`) instead.
      if (rule === 'WHO' && !context.staff && isRecordedNameOf(context.viewer, value))
        return context.viewer.id;
      return 'personal' in kind ? noted(value, `${type}.${field.name}`, source as Guarded, context) : value;
    }
    if (rule === 'PHONE') return maskUnlessAllowed(inner(source, args, context, info));
    if (isNonNullType(field.type)) throw forbidden(field.name, roles);
    return null;
  };
}

/**
 * Notes in `context.shown`, for the read log, that a field with personal data is shown; returns the field's
 * value. A null value is not noted, because it shows nothing.
 */
function noted(resolved: unknown, field: string, source: Guarded, context: Context): unknown {
  if (resolved instanceof Promise) return resolved.then((value) => noted(value, field, source, context));
  if (resolved !== null && resolved !== undefined) context.shown?.note(field, subjectOfField(field, source));
  return resolved;
}

/**
 * Returns the key of the user or session whose personal data the field shows. The read log stores this key.
 */
function subjectOfField(field: string, { id, sessionId, session }: Guarded): string {
  if (field.startsWith('VkycUser.')) return formatPersonalDataRowKey('vkyc_user', id as string);
  return formatPersonalDataRowKey('vkyc_session', (sessionId ?? session?.id ?? id) as string);
}

/** Columns of a row that identify the user or the session whose data the row holds. */
type Guarded = Readonly<Record<string, unknown>> & {
  readonly verificationId?: string;
  readonly id?: string;
  readonly sessionId?: string;
  readonly session?: { readonly id?: string; readonly verificationId?: string };
};

/**
 * Maps free-text fields to the field that names the author of the text, because authors see their own text whatever
 * their role. A field that is not listed names a person itself, or holds text that only staff write.
 */
const AUTHORS: Record<string, string> = {
  reason: 'scheduledBy',
  cancelReason: 'cancelledBy',
  remarks: 'reviewer',
};

const ownerOf = (source: Guarded, field: string) => ({
  verificationId: source.verificationId ?? source.session?.verificationId,
  author: source[AUTHORS[field] ?? field],
});

function maskUnlessAllowed(resolved: unknown): unknown {
  if (resolved instanceof Promise) return resolved.then(maskUnlessAllowed);
  const phone = resolved as string | null;
  return phone?.slice(-4).padStart(phone.length, '•') ?? null;
}

/** Returns the error for a field that the viewer's roles do not allow. */
export const forbidden = (field: string, allowed: readonly Role[]): GraphQLError =>
  new GraphQLError(`${field} needs one of the roles ${allowed.join(', ')}.`, {
    extensions: { code: 'FORBIDDEN' },
  });

/**
 * Error for personal data in a subscription. Frames (results of subscriptions) pass through more systems than
 * answers, such as GraphQL routers and their caches, so they never contain personal data.
 */
const notInFrames = (): GraphQLError =>
  new GraphQLError("Personal data cannot be selected in subscriptions: query it by the session's `id`.", {
    extensions: { code: 'FORBIDDEN' },
  });
