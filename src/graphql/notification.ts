import {
  Arg,
  Args,
  Ctx,
  Field,
  FieldResolver,
  ID,
  InputType,
  Mutation,
  ObjectType,
  Resolver,
  Root,
} from 'type-graphql';
import { getNotificationSealingContext, type NotificationRow } from '../db/sessions/notifications.ts';
import type { SessionSummary } from '../db/sessions/sessions.ts';
import type { Locale } from '../domain/locales.ts';
import type { NotificationChannel, NotificationKind, NotificationState } from '../domain/notifications.ts';
import { MAX_TEXT_CHARACTERS } from '../domain/text.ts';
import {
  createBadInputError,
  createConnectionTypes,
  ForwardArgs,
  Page,
  parsePageArgs,
} from './connection.ts';
import type { Context } from './context.ts';
import { DateTime } from './date-time.ts';
import { LocaleEnum, NotificationChannelEnum, NotificationKindEnum, NotificationStateEnum } from './enums.ts';
import type { Loaders } from './loaders.ts';
import { toMutationResult } from './mutation-error.ts';
import { ID_DESCRIPTION, Node, parseGlobalId, toGlobalId } from './node.ts';
import {
  ActionInput,
  ActionSuccess,
  createActionResultUnion,
  withDecodedSessionId,
} from './session-action.ts';
import { VkycSession } from './session-type.ts';
import { StatusTransition } from './transition.ts';
import { decryptText } from './user.ts';

@ObjectType({
  implements: Node,
  simpleResolvers: true,
  description: 'Notification of the customer about a session.',
})
export class CustomerNotification extends Node {
  @Field(() => NotificationKindEnum, { description: 'What the notification tells the customer.' })
  kind: NotificationKind;
  @Field(() => NotificationChannelEnum, { description: 'Way on which it leaves the gateway.' })
  channel: NotificationChannel;
  @Field(() => LocaleEnum, { description: 'Language of the text.' })
  locale: Locale;
  @Field(() => String, {
    nullable: true,
    description:
      "Text for the customer, without the link that an email of the kinds LINK and RETRY adds. Null after the customer's personal data was erased. Null for customers. Cannot be selected in subscriptions.",
  })
  text?: string;
  @Field(() => NotificationStateEnum, {
    description: 'Whether it was sent. No frame tells when it changes: query it again.',
  })
  state: NotificationState;
  @Field(() => String, {
    nullable: true,
    description:
      'Outcome of the last attempt as a code, such as `SMTP 550`; OUTDATED: the session had changed before it was due. Null before the first attempt.',
  })
  outcome?: string;
  @Field(() => DateTime, {
    description:
      'Time at which it is due: later than its request in the quiet hours, and after a failed attempt.',
  })
  dueAt: Date;
  @Field(() => DateTime, { description: 'Time at which it was requested, or caused by a transition.' })
  queuedAt: Date;
  @Field(() => DateTime, {
    nullable: true,
    description: 'Time at which it was sent, or failed for good. Null while it is QUEUED.',
  })
  settledAt?: Date;
  @Field(() => String, {
    nullable: true,
    description:
      'Token subject of the person who requested it. Null if the gateway notified by itself, and for customers.',
  })
  requestedBy?: string;
}

export const NotificationConnectionTypes = createConnectionTypes(
  'CustomerNotification',
  () => CustomerNotification,
  true,
);

@InputType({ description: 'Input of notifyCustomer: the session, and what to tell the customer.' })
class NotifyCustomerInput extends ActionInput {
  @Field(() => NotificationKindEnum, {
    description:
      'What to tell the customer. Refused if it does not fit the session, such as a DECISION before there is one.',
  })
  kind: NotificationKind;
  @Field(() => LocaleEnum, {
    nullable: true,
    description: "Language of the text. If left out, the first of the customer's languages that has texts.",
  })
  locale?: Locale;
  @Field(() => String, {
    nullable: true,
    description: `Your own text instead of the gateway's, up to ${MAX_TEXT_CHARACTERS.notification} characters. Do not write the link or personal data: the text is sent as it is.`,
  })
  text?: string;
  @Field(() => Boolean, {
    nullable: true,
    description: 'True to send it in the quiet hours too. If left out, it waits for their end.',
  })
  urgent?: boolean;
}

@ObjectType({ description: 'The notification was requested.', simpleResolvers: true })
class NotifyCustomerSuccess extends ActionSuccess {
  @Field(() => CustomerNotification, {
    description: 'The notification that this call, or the earlier one that it repeats, requested.',
  })
  notification: NotificationRow;
}

const NotifyCustomerResult = createActionResultUnion(
  'NotifyCustomerResult',
  'The notification, or the reason for refusing it.',
  NotifyCustomerSuccess,
);

@Resolver(() => CustomerNotification)
export class NotificationResolver {
  @FieldResolver(() => ID, { description: ID_DESCRIPTION })
  id(@Root() { id }: NotificationRow): string {
    return toGlobalId('CustomerNotification', id);
  }
  @FieldResolver(() => String, { nullable: true })
  text(@Root() row: NotificationRow, @Ctx() context: Context): string | null {
    return decryptText(context, row.text, getNotificationSealingContext(row.id));
  }
  @FieldResolver(() => StatusTransition, {
    nullable: true,
    description: 'Transition that is the cause of the notification.',
  })
  async causedBy(@Root() { sessionId, sequence }: NotificationRow, @Ctx() { loaders }: Context) {
    const range = {
      after: sequence - 1,
      before: sequence + 1,
      limit: 1,
      end: 'FIRST',
      detail: 'ALL',
    } as const;
    const [transition] = await loaders.transitionPage.load({ sessionId, ...range });
    return transition ?? null;
  }
}

const MAX_SEQUENCE = 2_147_483_647;

/**
 * Returns the sequence of the notification that a cursor of the list of notifications names.
 *
 * @throws GraphQLError if the cursor is not one of this session's notifications
 */
async function findSequence(cursor: string, sessionId: string, { notification }: Loaders): Promise<number> {
  const named = parseGlobalId(cursor);
  const row = named?.type === 'CustomerNotification' ? await notification.load(named.key) : null;
  if (row?.sessionId === sessionId) return row.sequence;
  throw createBadInputError(
    'The cursor was not issued for this list: pass a cursor exactly as you received it.',
  );
}

@Resolver(() => VkycSession)
export class SessionNotificationsResolver {
  @FieldResolver(() => NotificationConnectionTypes.Connection, {
    nullable: true,
    description:
      'Notifications of the customer, newest first. `first` is required: 1 to 100. Null for customers.',
  })
  async notifications(
    @Root() { id }: SessionSummary,
    @Args(() => ForwardArgs) args: ForwardArgs,
    @Ctx() { loaders, pace }: Context,
  ): Promise<Page<NotificationRow>> {
    const page = parsePageArgs(args);
    const before = args.after == null ? MAX_SEQUENCE : await findSequence(args.after, id, loaders);
    const rows = await loaders.notifications.load({ sessionId: id, before, limit: page.limit + 1 });
    await pace.take(rows.length);
    return new Page(
      rows,
      page,
      (row) => toGlobalId('CustomerNotification', row.id),
      () => loaders.notificationCount.load(id),
    );
  }
}

@Resolver()
export class NotifyCustomerResolver {
  @Mutation(() => NotifyCustomerResult, {
    description:
      'Notifies the customer: by email if the gateway has a mail server and the customer an address, otherwise by the event `customer.notification_requested` to your endpoints. Status and `version` do not change; subscribers get a transition with the change NOTIFICATIONS.',
  })
  notifyCustomer(
    @Arg('input', () => NotifyCustomerInput, { description: 'The session, and what to tell the customer.' })
    input: NotifyCustomerInput,
    @Ctx() context: Context,
  ) {
    const work = context.services.notifyCustomer(context.viewer, withDecodedSessionId(input));
    return toMutationResult('NotifyCustomerSuccess', context, work);
  }
}
