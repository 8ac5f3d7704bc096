import { Arg, Ctx, Field, FieldResolver, ObjectType, Query, Resolver, Root } from 'type-graphql';
import { toCustomerMessage, toCustomerStatusInfo } from '../domain/customer-texts.ts';
import type { Locale } from '../domain/locales.ts';
import {
  type TransitionRule as Rule,
  type SessionAction,
  TRANSITION_RULES,
  type TransitionSource,
} from '../domain/session.ts';
import {
  ALL_PAIRS,
  CIRCUMSTANCES,
  type Circumstance,
  type StatusInfo as Info,
  isValidPair,
  type Party,
  type Reporter,
  type Status,
  type SubStatus,
} from '../domain/status.ts';
import { createBadInputError } from './connection.ts';
import type { Context } from './context.ts';
import {
  LocaleEnum,
  PartyEnum,
  ReporterEnum,
  SessionActionEnum,
  StatusEnum,
  SubStatusEnum,
  TransitionSourceEnum,
} from './enums.ts';

/**
 * Sentence for the descriptions of raw status fields. `provider/texts.ts` shortens the provider's strings.
 */
export const CUT_RAW_STATUS_DESCRIPTION =
  'A string of more than 200 characters is cut and ends with a digest of the whole string: `… (sha256 0123456789abcdef)`.';

@ObjectType({
  description: 'Meaning of a status and sub-status pair, with the recommended action.',
  simpleResolvers: true,
})
export class StatusInfo implements Omit<Info, 'mutations'> {
  @Field(() => StatusEnum, { description: 'Phase, which groups several sub-statuses.' })
  status: Status;
  @Field(() => SubStatusEnum, { description: 'Step within the phase.' })
  subStatus: SubStatus;
  @Field(() => String, {
    description:
      'What happened, in sentences to show to users. For staff; a viewer who is only a CUSTOMER gets the text for customers, in English.',
  })
  explanation: string;
  @Field(() => String, {
    description:
      'What to do next, in sentences to show to users. For staff; `availableActions` has the actions that are possible now. A viewer who is only a CUSTOMER gets the text for customers, in English. In `VkycSession.statusInfo` it also takes into account whether the session is disputed or replaced, and whether its link has expired.',
  })
  recommendedAction: string;
  @Field(() => PartyEnum, { description: 'The party that has to act next.' })
  waitingOn: Party;
  @Field(() => Boolean, {
    description:
      'True if this status is final: the session is over, and its status changes again only if a dispute is resolved with ACCEPT_PROVIDER.',
  })
  terminal: boolean;
  @Field(() => ReporterEnum, {
    description: 'Whether the provider reports this status or only this API sets it.',
  })
  reportedBy: Reporter;
}

/** Root value of the resolvers of `StatusInfo`. */
export interface StatusInfoRoot extends Info {
  /** Why the advice of the status pair cannot be followed; missing or null if it can. */
  readonly circumstance?: Circumstance | null;
}

const customerInfos = new Map(ALL_PAIRS.map((info) => [info, toCustomerStatusInfo(info)]));

/**
 * Returns the meaning of a status pair as the viewer reads it: with the texts for staff, or with those for customers.
 * The values are plain objects, so that the fields of `StatusInfo` need no resolvers.
 */
export function toViewerStatusInfo(
  info: Info,
  staff: boolean,
  circumstance: Circumstance | null = null,
): Info {
  if (staff) return circumstance ? { ...info, recommendedAction: CIRCUMSTANCES[circumstance].advice } : info;
  return (circumstance ? undefined : customerInfos.get(info)) ?? toCustomerStatusInfo(info, circumstance);
}

const customerRules: readonly Rule[] = TRANSITION_RULES.map((rule) => ({
  ...rule,
  from: rule.from && toViewerStatusInfo(rule.from, false),
  to: toViewerStatusInfo(rule.to, false),
}));

@ObjectType({
  description: 'One allowed transition of the state machine.',
  simpleResolvers: true,
})
class TransitionRule implements Rule {
  @Field(() => StatusInfo, {
    nullable: true,
    description: 'Status before the transition. Null if the transition starts a session.',
  })
  from: Info | null;
  @Field(() => StatusInfo, { description: 'Status after the transition.' })
  to: Info;
  @Field(() => [TransitionSourceEnum], { description: 'Sources that may cause the transition.' })
  sources: readonly TransitionSource[];
  @Field(() => SessionActionEnum, {
    nullable: true,
    description:
      'Action that causes the transition. Null if MUTATION is not among `sources`, or the transition starts a session.',
  })
  action: SessionAction | null;
}

/**
 * Refuses a filter with a sub-status that belongs to none of the filter's statuses. Such a filter would match
 * no session, so it must be a mistake.
 */
export function assertPossibleStatusFilter(
  status: readonly Status[] | null | undefined,
  subStatus: readonly SubStatus[] | null | undefined,
) {
  if (!status || !subStatus) return;
  const stray = subStatus.find(
    (sub) => !status.some((phase) => isValidPair({ status: phase, subStatus: sub })),
  );
  if (stray)
    throw createBadInputError(
      `${stray} is not a sub-status of ${status.join(' or ')}: see statusCatalog for the pairs.`,
    );
}

@Resolver()
export class StatusCatalogResolver {
  @Query(() => [StatusInfo], {
    description: 'Every valid pair of status and sub-status, with its meaning and recommended action.',
  })
  statusCatalog(@Ctx() { staff }: Context): readonly Info[] {
    return staff ? ALL_PAIRS : [...customerInfos.values()];
  }

  @Query(() => [TransitionRule], {
    description: 'Every transition of the state machine that the gateway allows.',
  })
  transitionRules(@Ctx() { staff }: Context): readonly Rule[] {
    return staff ? TRANSITION_RULES : customerRules;
  }
}

@Resolver(() => StatusInfo)
export class StatusInfoResolver {
  @FieldResolver(() => String, {
    description:
      'Message to show to the customer: what happened and what to do next, without advice to staff. In `VkycSession.statusInfo` it names no decision if the session is disputed, and mentions the newer link if another session replaces it.',
  })
  customerMessage(
    @Root() { subStatus, circumstance }: StatusInfoRoot,
    @Arg('locale', () => LocaleEnum, {
      defaultValue: 'EN',
      description: 'Language that the customer reads. English if left out.',
    })
    locale: Locale,
  ): string {
    return toCustomerMessage(subStatus, locale, circumstance);
  }
}
