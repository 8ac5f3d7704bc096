import { Field, ObjectType, Query, Resolver } from 'type-graphql';
import {
  type TransitionRule as Rule,
  type SessionAction,
  TRANSITION_RULES,
  type TransitionSource,
} from '../domain/session.ts';
import {
  type StatusInfo as Info,
  isValidPair,
  type Party,
  STATUS_CATALOG,
  type Status,
  type SubStatus,
} from '../domain/status.ts';
import { badInput } from './connection.ts';
import { PartyEnum, SessionActionEnum, StatusEnum, SubStatusEnum, TransitionSourceEnum } from './enums.ts';

/** Sentence in descriptions of raw statuses; see `provider/texts.ts`. */
export const SHORTENED =
  'More than 200 characters are shortened and end with a digest of the whole: `… (sha256 0123456789abcdef)`.';

@ObjectType({
  description: 'A status and sub-status with what they mean and what to do.',
  simpleResolvers: true,
})
export class StatusInfo implements Info {
  @Field(() => StatusEnum, { description: 'The phase; its steps are the sub-statuses.' })
  status: Status;
  @Field(() => SubStatusEnum, { description: 'The exact step within that phase.' })
  subStatus: SubStatus;
  @Field(() => String, { description: 'What happened, in a sentence for people.' })
  explanation: string;
  @Field(() => String, { description: 'What to do about it, in a sentence for people.' })
  recommendedAction: string;
  @Field(() => PartyEnum, { description: 'Who has to act next.' })
  waitingOn: Party;
  @Field(() => Boolean, { description: 'True where the session is over and will never move again.' })
  terminal: boolean;
}

@ObjectType({
  description: 'One line of the state machine: a null `from` starts a session.',
  simpleResolvers: true,
})
class TransitionRule implements Rule {
  @Field(() => StatusInfo, { nullable: true, description: 'Where the session is; null: there is none yet.' })
  from: Info | null;
  @Field(() => StatusInfo, { description: 'Where it goes.' })
  to: Info;
  @Field(() => [TransitionSourceEnum], { description: 'What may cause it.' })
  sources: readonly TransitionSource[];
  @Field(() => SessionActionEnum, {
    nullable: true,
    description: 'The action that causes it, where MUTATION is among the sources.',
  })
  action: SessionAction | null;
}

/** Refuses a filter with a sub-status of none of its statuses: it could match nothing, so it is a mistake. */
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
    description: 'Every status and sub-status pair, with what it means and what to do.',
  })
  statusCatalog(): readonly Info[] {
    return STATUS_CATALOG;
  }

  @Query(() => [TransitionRule], { description: 'The whole state machine, as the gateway enforces it.' })
  transitionRules(): readonly Rule[] {
    return TRANSITION_RULES;
  }
}
