/** Mutations that call the provider: for the current state of a session, a recording or an SDK token. */

import { Arg, Ctx, createUnionType, Field, ID, Mutation, ObjectType, Resolver } from 'type-graphql';
import type { SessionRow } from '../db/sessions/sessions.ts';
import type { Context } from './context.ts';
import { DateTime } from './date-time.ts';
import {
  ActionNotAllowedError,
  NotFoundError,
  ProviderError,
  RESOLVE_BY_TYPENAME,
  toMutationResult,
} from './mutation-error.ts';
import { decodeIdOfType } from './node.ts';
import { VkycSession } from './session-type.ts';

@ObjectType({
  description:
    'The provider returned the current status of the verification. `changed` says whether the answer changed the session.',
  simpleResolvers: true,
})
class RefreshSessionSuccess {
  @Field(() => VkycSession, { description: 'The session in its current state.' })
  session: SessionRow;
  @Field(() => Boolean, {
    description:
      'True if the provider reported a status that was new to the gateway, or if its answer showed that the customer missed the booked meeting.',
  })
  changed: boolean;
}

@ObjectType({
  description:
    'Link to the recording of a call. It is short-lived, fetched from the provider on each request, and never stored by the gateway.',
  simpleResolvers: true,
})
class Recording {
  @Field(() => String, {
    description: 'URL of the video. Do not store it: request a new one each time a user opens the recording.',
  })
  url: string;
  @Field(() => DateTime, {
    nullable: true,
    description: 'Time at which the URL expires. Null if the URL does not contain it.',
  })
  expiresAt: Date | null;
}

@ObjectType({ description: 'The provider returned a recording.', simpleResolvers: true })
class RequestRecordingSuccess {
  @Field(() => VkycSession, { description: 'The session that you asked about, in its current state.' })
  session: SessionRow;
  @Field(() => Recording, { description: 'Short-lived link to the recording.' })
  recording: Recording;
}

@ObjectType({ description: 'The provider created a token.', simpleResolvers: true })
class CreateSdkTokenSuccess {
  @Field(() => VkycSession, { description: 'The session that you asked about, in its current state.' })
  session: SessionRow;
  @Field(() => String, {
    description: "Secret token that the customer's app passes to the provider's SDK. Do not log it.",
  })
  token: string;
  @Field(() => DateTime, {
    nullable: true,
    description: 'Time at which the token expires. Null if the provider did not say.',
  })
  expiresAt: Date | null;
}

const refusals = [NotFoundError, ActionNotAllowedError, ProviderError] as const;

const RefreshSessionResult = createUnionType({
  name: 'RefreshSessionResult',
  description: 'The refreshed session, or the reason why it was not refreshed.',
  types: () => [RefreshSessionSuccess, ...refusals] as const,
  ...RESOLVE_BY_TYPENAME,
});
const RequestRecordingResult = createUnionType({
  name: 'RequestRecordingResult',
  description: 'The recording, or the reason for refusing it.',
  types: () => [RequestRecordingSuccess, ...refusals] as const,
  ...RESOLVE_BY_TYPENAME,
});
const CreateSdkTokenResult = createUnionType({
  name: 'CreateSdkTokenResult',
  description: 'The SDK token, or the reason for refusing it.',
  types: () => [CreateSdkTokenSuccess, ...refusals] as const,
  ...RESOLVE_BY_TYPENAME,
});

const SESSION_ID = { description: 'Global `id` of a VkycSession; not its verificationId.' };

@Resolver()
export class ProviderActionsResolver {
  @Mutation(() => RefreshSessionResult, {
    description:
      "Asks the provider for the session's status now, instead of waiting for the next webhook or poll.",
  })
  refreshSession(@Arg('sessionId', () => ID, SESSION_ID) sessionId: string, @Ctx() context: Context) {
    const { services, viewer } = context;
    return toMutationResult(
      'RefreshSessionSuccess',
      context,
      services.refreshSession(viewer, decodeIdOfType('VkycSession', sessionId)),
    );
  }

  @Mutation(() => RequestRecordingResult, {
    description:
      'Fetches a link to the recording of the call, for staff. Every request is recorded in the audit log.',
  })
  requestRecording(@Arg('sessionId', () => ID, SESSION_ID) sessionId: string, @Ctx() context: Context) {
    const { services, viewer } = context;
    return toMutationResult(
      'RequestRecordingSuccess',
      context,
      services.requestRecording(viewer, decodeIdOfType('VkycSession', sessionId)),
    );
  }

  @Mutation(() => CreateSdkTokenResult, {
    description: "Creates a token with which the customer's app opens the provider's SDK without an OTP.",
  })
  createSdkToken(@Arg('sessionId', () => ID, SESSION_ID) sessionId: string, @Ctx() context: Context) {
    const { services, viewer } = context;
    return toMutationResult(
      'CreateSdkTokenSuccess',
      context,
      services.createSdkToken(viewer, decodeIdOfType('VkycSession', sessionId)),
    );
  }
}
