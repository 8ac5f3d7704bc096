import { Field, ObjectType, Query, Resolver } from 'type-graphql';
import {
  type TransitionRule as Rule,
  type SessionAction,
  TRANSITION_RULES,
  type TransitionSource,
} from '../domain/session.ts';
import {
  ALL_PAIRS,
  type StatusInfo as Info,
  isValidPair,
  type Party,
  type Reporter,
  type Status,
  type SubStatus,
} from '../domain/status.ts';
import { badInput } from './connection.ts';
import {
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
export const SHORTENED =
  'A longer string than 200 characters is cut and ends with a digest of the whole string: `… (sha256 0123456789abcdef)`.';

@ObjectType({
  description: 'Meaning of a status and sub-status pair, with the recommended action.',
  simpleResolvers: true,
})
export class StatusInfo implements Info {
  @Field(() => StatusEnum, { description: 'Phase, which groups several sub-statuses.' })
  status: Status;
  @Field(() => SubStatusEnum, { description: 'Step within the phase.' })
  subStatus: SubStatus;
  @Field(() => String, { description: 'What happened, as a sentence to show to users.' })
  explanation: string;
  @Field(() => String, { description: 'Recommended action, as a sentence to show to users.' })
  recommendedAction: string;
  @Field(() => PartyEnum, { description: 'The party that has to act next.' })
  waitingOn: Party;
  @Field(() => Boolean, {
    description:
      'True if this status is final: the session is over, and its status changes again only if a dispute is decided for the provider.',
  })
  terminal: boolean;
  @Field(() => ReporterEnum, {
    description: 'Whether the provider reports this status or only this API sets it.',
  })
  reportedBy: Reporter;
}

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
export function assertKnownPairs(
  status: readonly Status[] | null | undefined,
  subStatus: readonly SubStatus[] | null | undefined,
) {
  if (!status || !subStatus) return;
  const stray = subStatus.find(
    (sub) => !status.some((phase) => isValidPair({ status: phase, subStatus: sub })),
  );
  if (stray)
    throw badInput(
      `${stray} is not a sub-status of ${status.join(' or ')}: see statusCatalog for the pairs.`,
    );
}

@Resolver()
export class StatusResolver {
  @Query(() => [StatusInfo], {
    description: 'Every valid pair of status and sub-status, with its meaning and recommended action.',
  })
  statusCatalog(): readonly Info[] {
    return ALL_PAIRS;
  }

  @Query(() => [TransitionRule], {
    description: 'Every transition of the state machine that the gateway allows.',
  })
  transitionRules(): readonly Rule[] {
    return TRANSITION_RULES;
  }
}
