import {
  Arg,
  Ctx,
  createUnionType,
  Field,
  ID,
  InputType,
  Int,
  Mutation,
  ObjectType,
  Resolver,
} from 'type-graphql';
import type { SessionRow } from '../db/sessions/sessions.ts';
import { MAX_LANGUAGES } from '../domain/languages.ts';
import { MAX_TEXT_CHARACTERS } from '../domain/text.ts';
import type { Context } from './context.ts';
import { DateTime } from './date-time.ts';
import { NotificationTypeEnum } from './enums.ts';
import { MetadataEntryInput, START_METADATA_DESCRIPTION, START_TAGS_DESCRIPTION } from './labels.ts';
import {
  ConflictError,
  InvalidInputError,
  ProviderError,
  RESOLVE_BY_TYPENAME,
  toMutationResult,
} from './mutation-error.ts';
import { decodeSessionIdOrEmpty } from './node.ts';
import { VkycSession } from './session-type.ts';

@InputType({
  description:
    "Person to verify. Pass a phone, or the userId of a person whom the provider already knows. With the phone, a known person's name, email and address are updated at the provider; without it, they stay unchanged.",
})
class SessionUserInput {
  @Field(() => String, {
    nullable: true,
    description:
      'Your own id of the person: 1 to 50 characters of A-Z a-z 0-9 . _ - If left out, the gateway generates one, or takes that of the session to replace.',
  })
  userId?: string;
  @Field(() => String, {
    nullable: true,
    description:
      'Phone number: 10 digits without country code. SMS and WhatsApp messages with the link go to it.',
  })
  phone?: string;
  @Field(() => String, { nullable: true, description: 'Full name, up to 200 characters.' })
  name?: string;
  @Field(() => String, {
    nullable: true,
    description:
      'Email address, up to 200 characters, such as asha@example.com. A domain in a non-Latin script is stored in its ASCII form (Punycode, xn--…).',
  })
  email?: string;
  @Field(() => String, {
    nullable: true,
    description: `Postal address, up to ${MAX_TEXT_CHARACTERS.address} characters.`,
  })
  address?: string;
}

@InputType({
  description:
    'Question that the agent asks during the call. The gateway passes it to the provider and never stores it.',
})
class SecurityQuestionInput {
  @Field(() => Int, {
    description: 'Position in the list. The questions must be numbered 1, 2, 3 … in this order.',
  })
  order: number;
  @Field(() => String, { description: 'Text that the agent reads to the customer.' })
  question: string;
  @Field(() => String, { description: 'Answer that the agent expects from the customer.' })
  answer: string;
}

@InputType({
  description:
    "Address as in the Aadhaar record, with Aadhaar's own field names. Each field has up to 200 characters.",
})
class AddressInput {
  @Field(() => String, { description: 'Country, such as India.' })
  country: string;
  @Field(() => String, { description: 'District of the state, such as Pune.' })
  dist: string;
  @Field(() => String, { description: 'House number or name, such as 12 B.' })
  house: string;
  @Field(() => String, { description: 'PIN code: 6 digits, the first of which is not 0, such as 411001.' })
  pincode: string;
  @Field(() => String, { description: 'State or union territory, such as Maharashtra.' })
  state: string;
  @Field(() => String, { description: 'Street or road, such as MG Road.' })
  street: string;
  @Field(() => String, { nullable: true, description: 'Post office that serves the address.' })
  po?: string;
  @Field(() => String, { nullable: true, description: 'Sub-district, such as a taluk or tehsil.' })
  subdist?: string;
  @Field(() => String, { nullable: true, description: 'Village, town or city.' })
  vtc?: string;
}

@InputType({
  description:
    'Aadhaar details that you have already verified, so that the customer skips the Aadhaar step. The gateway passes them to the provider and never stores them.',
})
class AadhaarDetailsInput {
  @Field(() => String, { description: 'Full name, spelt as on the Aadhaar card.' })
  name: string;
  @Field(() => String, {
    description:
      'Date of birth as DD-MM-YYYY, such as 31-12-1990. It must be an existing day, not after today in India.',
  })
  dob: string;
  @Field(() => String, { description: 'M, F or O: male, female or other.' })
  gender: string;
  @Field(() => String, { description: 'Name of a parent or spouse, as in the Aadhaar record.' })
  careOf: string;
  @Field(() => String, {
    description:
      'URL from which the provider fetches the photo. It must use https or http and contain no user name or password.',
  })
  photoLink: string;
  @Field(() => DateTime, {
    description:
      'Time at which you verified these details. It must not be in the future, and not more than three working days ago in India (the gateway may have another limit); Saturdays, Sundays and the holidays in the settings of the gateway do not count. If you repeat a start, it is not refused because the details have become older.',
  })
  lastVerifiedAt: Date;
  @Field(() => AddressInput, { description: "The customer's address, as in the Aadhaar record." })
  address: AddressInput;
}

@InputType({
  description: 'Input of startSession. Only `verificationId` and `user` are required.',
})
class StartSessionInput {
  @Field(() => String, {
    description:
      'Your own id of the verification: 1 to 50 characters of A-Z a-z 0-9 . _ - It is also the idempotency key: the same id with the same input returns the same session.',
  })
  verificationId: string;
  @Field(() => SessionUserInput, { description: 'Person to verify.' })
  user: SessionUserInput;
  @Field(() => String, {
    nullable: true,
    description:
      "Name of the provider's template for the customer's steps: the `id` of one of `userTemplates`, such as vkyc_user_template_v1. If left out, the provider's default is used.",
  })
  userTemplate?: string;
  @Field(() => String, {
    nullable: true,
    description:
      "Name of the provider's template for the agent's steps: the `id` of one of `agentTemplates`, such as vkyc_agent_template_v1. If left out, the provider's default is used.",
  })
  agentTemplate?: string;
  @Field(() => [NotificationTypeEnum], {
    nullable: true,
    description:
      'Channels on which the provider sends the link. If left out, the provider does not send the link. EMAIL needs `user.email`, or a user whose email the provider already has.',
  })
  notificationTypes?: string[];
  @Field(() => AadhaarDetailsInput, {
    nullable: true,
    description:
      'Aadhaar details that you have already verified. With them, the customer skips the Aadhaar step.',
  })
  aadhaarDetails?: AadhaarDetailsInput;
  @Field(() => [SecurityQuestionInput], {
    nullable: true,
    description: 'Questions that the agent asks during the call, at most 20.',
  })
  securityQuestions?: SecurityQuestionInput[];
  @Field(() => ID, {
    nullable: true,
    description:
      'Global `id` of an earlier session of the same person, which the new session replaces. The earlier session ends as REPLACED, or keeps its outcome if it has already ended. A session that is approved, disputed or already replaced cannot be replaced. `user` must name the person of the earlier session by `userId` or `phone`.',
  })
  replacesSessionId?: string;
  @Field(() => [MetadataEntryInput], { nullable: true, description: START_METADATA_DESCRIPTION })
  metadata?: MetadataEntryInput[];
  @Field(() => [String], { nullable: true, description: START_TAGS_DESCRIPTION })
  tags?: string[];
  @Field(() => [String], {
    nullable: true,
    description: `Languages that the customer speaks, as BCP 47 tags such as hi, ta or en-IN; at most ${MAX_LANGUAGES.customer}. \`claimNext\` gives the session only to people who speak one of them. If left out, to everybody.`,
  })
  languages?: string[];
}

@ObjectType({
  description:
    'The session is recorded. If your balance at the provider is too low, its status is REJECTED / INSUFFICIENT_BALANCE, and it has no link.',
  simpleResolvers: true,
})
class StartSessionSuccess {
  @Field(() => VkycSession, { description: 'The session. It may already have moved past LINK_GENERATED.' })
  session: SessionRow;
  @Field(() => Boolean, { description: 'True if this call repeated an earlier one and changed nothing.' })
  replayed: boolean;
}

const StartSessionResult = createUnionType({
  name: 'StartSessionResult',
  description: 'The session, or the reason for refusing to start it.',
  types: () => [StartSessionSuccess, InvalidInputError, ConflictError, ProviderError] as const,
  ...RESOLVE_BY_TYPENAME,
});

/**
 * Replaces the global id in `replacesSessionId` by the session's UUID, which the service expects. An id of
 * another type becomes an empty string, which the service refuses with the path of the input field.
 */
const withReplacedKey = (input: StartSessionInput): StartSessionInput =>
  input.replacesSessionId == null
    ? input
    : { ...input, replacesSessionId: decodeSessionIdOrEmpty(input.replacesSessionId) };

@Resolver()
export class StartSessionResolver {
  @Mutation(() => StartSessionResult, {
    description:
      'Starts a verification at the provider, which creates a link for the customer. Safe to retry at any time: the `verificationId` is the idempotency key.',
  })
  startSession(
    @Arg('input', () => StartSessionInput, {
      description: 'Person to verify, your `verificationId`, and options.',
    })
    input: StartSessionInput,
    @Ctx() context: Context,
  ) {
    return toMutationResult(
      'StartSessionSuccess',
      context,
      context.services.startSession(context.viewer, withReplacedKey(input)),
    );
  }
}
