/**
 * Mutations that ask the provider for something: the current state of a session, a recording, an SDK token.
 */

import { Arg, Ctx, createUnionType, Field, ID, Mutation, ObjectType, Resolver } from 'type-graphql';
import type { SessionRow } from '../db/sessions/sessions.ts';
import type { Context } from './context.ts';
import { DateTime } from './date-time.ts';
import {
  ActionNotAllowedError,
  NotFoundError,
  ProviderError,
  resolveByName,
  toMutationResult,
} from './mutation-error.ts';
import { decodeId } from './node.ts';
import { VkycSession } from './session-type.ts';

@ObjectType({ description: 'The provider was asked.', simpleResolvers: true })
class RefreshSessionSuccess {
  @Field(() => VkycSession, { description: 'The session as it is now.' })
  session: SessionRow;
  @Field(() => Boolean, { description: 'Whether the provider reported a state that was not known yet.' })
  changed: boolean;
}

@ObjectType({
  description: 'Short-lived; fetched from the provider when asked for, and never stored.',
  simpleResolvers: true,
})
class Recording {
  @Field(() => String, {
    description:
      'Where it can be watched or fetched: ask anew when somebody wants to, rather than keeping it.',
  })
  url: string;
  @Field(() => DateTime, { nullable: true, description: 'When the URL ends, where it says so.' })
  expiresAt: Date | null;
}

@ObjectType({ description: 'There is a recording.', simpleResolvers: true })
class RequestRecordingSuccess {
  @Field(() => VkycSession, { description: 'The session that was asked about.' })
  session: SessionRow;
  @Field(() => Recording, { description: 'Where to watch the call, for a short while.' })
  recording: Recording;
}

@ObjectType({ description: 'There is a token.', simpleResolvers: true })
class CreateSdkTokenSuccess {
  @Field(() => VkycSession, { description: 'The session that was asked about.' })
  session: SessionRow;
  @Field(() => String, {
    description: "What the customer's app gives to the provider's SDK. Keep it out of logs.",
  })
  token: string;
  @Field(() => DateTime, {
    nullable: true,
    description: 'When the token ends, where the provider said so.',
  })
  expiresAt: Date | null;
}

const refusals = [NotFoundError, ActionNotAllowedError, ProviderError] as const;

const RefreshSessionResult = createUnionType({
  name: 'RefreshSessionResult',
  description: 'The session, or why the provider could not be asked.',
  types: () => [RefreshSessionSuccess, ...refusals] as const,
  ...resolveByName,
});
const RequestRecordingResult = createUnionType({
  name: 'RequestRecordingResult',
  description: 'The recording, or why there is none.',
  types: () => [RequestRecordingSuccess, ...refusals] as const,
  ...resolveByName,
});
const CreateSdkTokenResult = createUnionType({
  name: 'CreateSdkTokenResult',
  description: 'The token, or why there is none.',
  types: () => [CreateSdkTokenSuccess, ...refusals] as const,
  ...resolveByName,
});

const SESSION_ID = { description: 'The `id` of a VkycSession, which is not its verificationId.' };

@Resolver()
export class ProviderActionsResolver {
  @Mutation(() => RefreshSessionResult, {
    description: 'Asks the provider now instead of waiting for its next webhook or poll.',
  })
  refreshSession(@Arg('sessionId', () => ID, SESSION_ID) sessionId: string, @Ctx() context: Context) {
    const { services, viewer } = context;
    return toMutationResult(
      'RefreshSessionSuccess',
      context,
      services.refreshSession(viewer, decodeId('VkycSession', sessionId)),
    );
  }

  @Mutation(() => RequestRecordingResult, {
    description: "A link to the call's recording, for staff; every request is audited.",
  })
  requestRecording(@Arg('sessionId', () => ID, SESSION_ID) sessionId: string, @Ctx() context: Context) {
    const { services, viewer } = context;
    return toMutationResult(
      'RequestRecordingSuccess',
      context,
      services.requestRecording(viewer, decodeId('VkycSession', sessionId)),
    );
  }

  @Mutation(() => CreateSdkTokenResult, {
    description: "A token with which the customer's app opens the provider's SDK without an OTP.",
  })
  createSdkToken(@Arg('sessionId', () => ID, SESSION_ID) sessionId: string, @Ctx() context: Context) {
    const { services, viewer } = context;
    return toMutationResult(
      'CreateSdkTokenSuccess',
      context,
      services.createSdkToken(viewer, decodeId('VkycSession', sessionId)),
    );
  }
}
