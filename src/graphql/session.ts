import type { GraphQLResolveInfo } from 'graphql';
import {
  Arg,
  Args,
  Ctx,
  Field,
  FieldResolver,
  ID,
  Info,
  ObjectType,
  Query,
  Resolver,
  Root,
} from 'type-graphql';
import type { MeetingRow } from '../db/sessions/meetings.ts';
import type { ReviewRow } from '../db/sessions/reviews.ts';
import {
  getAgentRemarksSealingContext,
  getLinkSealingContext,
  type SessionListItem,
  type SessionRow,
  type SessionSummary,
  toSessionState,
} from '../db/sessions/sessions.ts';
import type { TransitionSummary } from '../db/sessions/transitions.ts';
import type { UserRow } from '../db/sessions/users.ts';
import { maySeeSession, type Viewer } from '../domain/access.ts';
import {
  findSessionActionDenial,
  mightHaveUnflaggedReplacement,
  mightHaveUnreportedCall,
  mightHaveUnreviewedCall,
  needsReplacerName,
  ALL_SESSION_ACTIONS as OFFERED,
  toActionFacts,
} from '../domain/actions.ts';
import { parseStoredLanguageTags } from '../domain/languages.ts';
import {
  findAcceptableProviderDecision,
  getProviderStatusPair,
  providerAgrees,
  type SessionAction,
} from '../domain/session.ts';
import { findCircumstance, getStatusInfo, type Status, type SubStatus } from '../domain/status.ts';
import { isStorableText } from '../domain/storable.ts';
import { createExpiredCursorError, getPositionAfter, getSessionStartPosition } from '../feed/cursor.ts';
import { getTransitionFingerprint } from '../feed/fingerprint.ts';
import { createBadInputError, ForwardArgs, Page, PageArgs, parsePageArgs } from './connection.ts';
import type { Context } from './context.ts';
import { SessionActionEnum, StatusEnum, SubStatusEnum } from './enums.ts';
import { Meeting, MeetingConnectionTypes } from './meeting.ts';
import { decodeIdOfType, ID_DESCRIPTION, toGlobalId } from './node.ts';
import { Review } from './review.ts';
import { CONNECTION_NODE_PATHS, findSelectedFields, getDetailLevel } from './selection.ts';
import { getSessionProjection, VkycSession } from './session-type.ts';
import { StatusInfo, type StatusInfoRoot, toViewerStatusInfo } from './status.ts';
import { TRANSITION_SUMMARY_FIELDS, TransitionConnectionTypes } from './transition.ts';
import { decryptText, VkycUser } from './user.ts';

const MAX_SEQUENCE = 2_147_483_647;

@ObjectType({ description: 'Action that you may not perform now.', simpleResolvers: true })
class BlockedAction {
  @Field(() => SessionActionEnum, { description: 'The action that you may not perform.' })
  action: SessionAction;
  @Field(() => String, { description: 'Why the action is blocked, as a sentence to show to users.' })
  reason: string;
}

const visibleTo = <Session extends SessionSummary>(
  viewer: Viewer,
  session: Session | null,
): Session | null => (session && maySeeSession(viewer, session.verificationId) ? session : null);

const booked = (meetings: readonly MeetingRow[]): MeetingRow | null =>
  meetings.find((row) => row.status === 'SCHEDULED') ?? null;

async function judgeActions(session: SessionRow, { loaders, viewer, services }: Context) {
  const [meetings, reviews, annotations, replacement, unreviewed, call, replacer] = await Promise.all([
    loaders.meetings.load(session.id),
    loaders.reviews.load(session.id),
    loaders.decisions.load(session.id),
    mightHaveUnflaggedReplacement(session) ? loaders.replacement.load(session.id) : null,
    mightHaveUnreviewedCall(session) ? loaders.unreviewedCall.load(session.id) : null,
    mightHaveUnreportedCall(session) ? loaders.call.load(session.id) : null,
    needsReplacerName(session) ? loaders.replacer.load(session.id) : null,
  ]);
  const unreviewedCall = unreviewed?.subStatus ?? null;
  const facts = toActionFacts(session, {
    meeting: booked(meetings),
    reviews,
    annotations,
    unreviewedCall,
    hadCall: call !== null,
    hasReplacement: replacement !== null,
    replacer: replacer?.actor ?? null,
  });
  const now = services.clock.now();
  return OFFERED.map((action) => ({
    action,
    reason: findSessionActionDenial(action, facts, viewer, now, services.policy),
  }));
}

@Resolver(() => VkycSession)
export class SessionResolver {
  @Query(() => VkycSession, {
    nullable: true,
    description: 'A session by its global `id`. Null if it does not exist or you may not see it.',
  })
  async session(
    @Arg('id', () => ID, { description: 'Global `id` of a VkycSession; not its verificationId.' })
    id: string,
    @Ctx() { loaders, viewer }: Context,
    @Info() { fieldNodes, fragments }: GraphQLResolveInfo,
  ): Promise<SessionListItem | null> {
    const key = decodeIdOfType('VkycSession', id);
    const shape = getSessionProjection(findSelectedFields(fieldNodes, fragments));
    return visibleTo(viewer, await loaders.listedSession.load({ id: key, ...shape }));
  }

  @Query(() => VkycSession, {
    nullable: true,
    description:
      'A session by the `verificationId` that you passed to startSession. Null if it does not exist or you may not see it.',
  })
  async sessionByVerificationId(
    @Arg('verificationId', () => String, {
      description: 'The `verificationId` that you passed to startSession.',
    })
    verificationId: string,
    @Ctx() { loaders, viewer }: Context,
  ): Promise<SessionRow | null> {
    if (!maySeeSession(viewer, verificationId) || !isStorableText(verificationId)) return null;
    return loaders.sessionByVerificationId.load(verificationId);
  }

  @FieldResolver(() => ID, { description: ID_DESCRIPTION })
  id(@Root() session: SessionSummary): string {
    return toGlobalId('VkycSession', session.id);
  }

  @FieldResolver(() => VkycUser)
  user(@Root() session: SessionListItem, @Ctx() { loaders }: Context): UserRow | Promise<UserRow | null> {
    return session.user ?? loaders.user.load(session.userId);
  }

  @FieldResolver(() => [String])
  languages(@Root() session: SessionSummary): string[] {
    return parseStoredLanguageTags(session.languages);
  }

  @FieldResolver(() => StatusInfo)
  statusInfo(@Root() session: SessionSummary, @Ctx() { staff, services }: Context): StatusInfoRoot {
    const { waitingOn } = session;
    const circumstance = findCircumstance(session, services.clock.now());
    return { ...toViewerStatusInfo(getStatusInfo(session), staff, circumstance), waitingOn, circumstance };
  }

  @FieldResolver(() => StatusEnum, {
    description:
      'Phase that the provider last reported. It differs from `status` after a decision or a booking made through this API, or a missed meeting, until the provider reports the same phase.',
  })
  providerStatus(@Root() session: SessionRow): Status {
    return getProviderStatusPair(toSessionState(session)).status;
  }

  @FieldResolver(() => SubStatusEnum, { description: 'Step that the provider last reported.' })
  providerSubStatus(@Root() session: SessionRow): SubStatus {
    return getProviderStatusPair(toSessionState(session)).subStatus;
  }

  @FieldResolver(() => Boolean, {
    description:
      'True if the provider reported the current status, or has confirmed a decision made through this API. False while such a decision is provisional: the gateway asks the provider until it agrees or contradicts (`disputed`), or until some days after the decision or the expiry of the link, whichever is later.',
  })
  providerAgrees(@Root() session: SessionRow): boolean {
    return providerAgrees(toSessionState(session));
  }

  @FieldResolver(() => SubStatusEnum, {
    nullable: true,
    description:
      'Step that the session gets if you resolve its dispute with ACCEPT_PROVIDER: pass it to resolveDispute as `expectedSubStatus`. Null if the session is not disputed, or the provider no longer contradicts it; ACCEPT_PROVIDER is refused then. Also null for customers.',
  })
  async providerDecision(
    @Root() session: SessionRow,
    @Ctx() { loaders }: Context,
  ): Promise<SubStatus | null> {
    if (!session.disputed) return null;
    const disputing = await loaders.dispute.load(session.id);
    return (
      disputing && (findAcceptableProviderDecision(toSessionState(session), disputing)?.subStatus ?? null)
    );
  }

  @FieldResolver(() => String, { nullable: true })
  link(@Root() session: SessionRow, @Ctx() context: Context): string | null {
    return decryptText(context, session.link, getLinkSealingContext(session.id));
  }

  @FieldResolver(() => String, { nullable: true })
  agentRemarks(@Root() session: SessionRow, @Ctx() context: Context): string | null {
    return decryptText(context, session.agentRemarks, getAgentRemarksSealingContext(session.id));
  }

  @FieldResolver(() => String)
  startCursor(@Root() session: SessionSummary, @Ctx() { cursors }: Context): string {
    return cursors.encode(getSessionStartPosition(session.id));
  }

  @FieldResolver(() => VkycSession, {
    nullable: true,
    description:
      'Earlier session that this session replaces. Null if this session replaces none, or you may not see the earlier one.',
  })
  async replaces(
    @Root() session: SessionRow,
    @Ctx() { loaders, viewer }: Context,
  ): Promise<SessionRow | null> {
    return session.replacesId ? visibleTo(viewer, await loaders.session.load(session.replacesId)) : null;
  }

  @FieldResolver(() => VkycSession, {
    nullable: true,
    description: 'Later session that replaces this session. Null if there is none, or you may not see it.',
  })
  async replacedBy(
    @Root() session: SessionSummary,
    @Ctx() { loaders, viewer }: Context,
  ): Promise<SessionRow | null> {
    return visibleTo(viewer, await loaders.replacement.load(session.id));
  }

  @FieldResolver(() => Meeting, {
    nullable: true,
    description: 'The meeting that is currently booked. Null if none is booked.',
  })
  async meeting(@Root() session: SessionSummary, @Ctx() { loaders }: Context): Promise<MeetingRow | null> {
    return booked(await loaders.meetings.load(session.id));
  }

  @FieldResolver(() => MeetingConnectionTypes.Connection, {
    description: 'All meetings of the session, newest first. `first` is required: 1 to 100.',
  })
  async meetings(
    @Root() session: SessionSummary,
    @Args(() => ForwardArgs) args: ForwardArgs,
    @Ctx() { loaders, pace }: Context,
  ): Promise<Page<MeetingRow>> {
    const page = parsePageArgs(args);
    const all = await loaders.meetings.load(session.id);
    const from =
      args.after == null ? 0 : all.findIndex((row) => toGlobalId('Meeting', row.id) === args.after) + 1;
    if (args.after != null && from === 0)
      throw createBadInputError(
        'The cursor was not issued for this list: pass a cursor exactly as you received it.',
      );
    const rows = all.slice(from, from + page.limit + 1);
    await pace.take(rows.length);
    return new Page(
      rows,
      page,
      (row) => toGlobalId('Meeting', row.id),
      async () => all.length,
    );
  }

  @FieldResolver(() => [Review], {
    description: 'Decisions of agents and auditors, in the order in which they were recorded.',
  })
  reviews(@Root() session: SessionSummary, @Ctx() { loaders }: Context): Promise<ReviewRow[]> {
    return loaders.reviews.load(session.id);
  }

  @FieldResolver(() => [SessionActionEnum], {
    description:
      'Actions that you may perform now. The mutations enforce the same rules, so you can use this list to enable buttons.',
  })
  async availableActions(@Root() session: SessionRow, @Ctx() context: Context): Promise<SessionAction[]> {
    const judged = await judgeActions(session, context);
    return judged.filter(({ reason }) => reason === null).map(({ action }) => action);
  }

  @FieldResolver(() => [BlockedAction], {
    description: 'Actions that you may not perform now, each with the reason.',
  })
  async blockedActions(@Root() session: SessionRow, @Ctx() context: Context): Promise<BlockedAction[]> {
    const judged = await judgeActions(session, context);
    return judged.flatMap(({ action, reason }) => (reason === null ? [] : { action, reason }));
  }

  @FieldResolver(() => TransitionConnectionTypes.Connection, {
    description: 'Status transitions of the session, oldest first. `first` or `last` is required: 1 to 100.',
  })
  async transitions(
    @Root() session: SessionSummary,
    @Args(() => PageArgs) args: PageArgs,
    @Ctx() { loaders, cursors, pace }: Context,
    @Info() { fieldNodes, fragments }: GraphQLResolveInfo,
  ): Promise<Page<TransitionSummary>> {
    const page = parsePageArgs(args);
    const sequenceOf = async (cursor: string): Promise<number> => {
      const { sessionId, sequence, fingerprint } = cursors.decode(cursor);
      if (sessionId !== session.id)
        throw createBadInputError('The cursor belongs to another session: pass a cursor of this session.');
      // Compares the transition that the cursor names with the stored transition. A database failover may
      // have rewound the log, so that the same sequence now belongs to another transition.
      if (fingerprint !== null) {
        const named = await loaders.transition.load({ sessionId, sequence });
        if (!named || getTransitionFingerprint(named) !== fingerprint)
          throw createExpiredCursorError('LOG_REWOUND');
      }
      return sequence;
    };
    const rows = await loaders.transitionPage.load({
      sessionId: session.id,
      after: args.after == null ? 0 : await sequenceOf(args.after),
      before: args.before == null ? MAX_SEQUENCE : await sequenceOf(args.before),
      limit: page.limit + 1,
      end: page.end,
      detail: getDetailLevel(
        findSelectedFields(fieldNodes, fragments, CONNECTION_NODE_PATHS),
        TRANSITION_SUMMARY_FIELDS,
      ),
    });
    await pace.take(rows.length);
    return new Page(rows, page, (row) => cursors.encode(getPositionAfter(row)));
  }
}
