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
import type { Context } from './context.ts';
import { DateTime } from './date-time.ts';
import { NotificationTypeEnum } from './enums.ts';
import {
  ConflictError,
  InvalidInputError,
  ProviderError,
  resolveByName,
  toMutationResult,
} from './mutation-error.ts';
import { decodeSessionId } from './node.ts';
import { VkycSession } from './session-type.ts';

@InputType({
  description:
    "Who is to be verified. Give a phone, or the userId of somebody whom the provider knows. Given with their phone, a known person's name, email and address are brought up to date; without it they stay as they are.",
})
class SessionUserInput {
  @Field(() => String, {
    nullable: true,
    description: 'Your id of the person, 1-50 of A-Z a-z 0-9 . _ -; left out: one is made.',
  })
  userId?: string;
  @Field(() => String, {
    nullable: true,
    description: '10 digits, without country code. The link goes there.',
  })
  phone?: string;
  @Field(() => String, { nullable: true, description: 'Full name, up to 200 characters.' })
  name?: string;
  @Field(() => String, {
    nullable: true,
    description:
      'Email address, up to 200 characters, such as asha@example.com. A domain in another script than Latin is kept in its ASCII form, xn--….',
  })
  email?: string;
  @Field(() => String, { nullable: true, description: 'Postal address, up to 500 characters.' })
  address?: string;
}

@InputType({
  description:
    'A question that the agent asks in the call. Passed through to the provider, never stored here.',
})
class SecurityQuestionInput {
  @Field(() => Int, { description: 'The place in the list: 1, 2, 3 … in this order.' })
  order: number;
  @Field(() => String, { description: 'What the agent asks.' })
  question: string;
  @Field(() => String, { description: 'What the customer should answer.' })
  answer: string;
}

@InputType({
  description: "An address as Aadhaar has it, under Aadhaar's own names; each line has up to 200 characters.",
})
class AddressInput {
  @Field(() => String, { description: 'Country, such as India.' })
  country: string;
  @Field(() => String, { description: 'District of the state, such as Pune.' })
  dist: string;
  @Field(() => String, { description: 'House number or name, such as 12 B.' })
  house: string;
  @Field(() => String, { description: 'PIN code, 6 digits of which the first is not 0, such as 411001.' })
  pincode: string;
  @Field(() => String, { description: 'State or union territory, such as Maharashtra.' })
  state: string;
  @Field(() => String, { description: 'Street or road, such as MG Road.' })
  street: string;
  @Field(() => String, { nullable: true, description: 'The post office that serves it.' })
  po?: string;
  @Field(() => String, { nullable: true, description: 'Sub-district, such as a taluk or tehsil.' })
  subdist?: string;
  @Field(() => String, { nullable: true, description: 'Village, town or city.' })
  vtc?: string;
}

@InputType({
  description:
    'Aadhaar details that you verified before; the customer then skips that step. Passed through to the provider, never stored here.',
})
class AadhaarDetailsInput {
  @Field(() => String, { description: 'Full name, spelt as on the Aadhaar card.' })
  name: string;
  @Field(() => String, {
    description: 'Date of birth, DD-MM-YYYY, such as 31-12-1990: a day that exists, up to today in India.',
  })
  dob: string;
  @Field(() => String, { description: 'M, F or O: male, female or other.' })
  gender: string;
  @Field(() => String, { description: "Parent's or spouse's name, as Aadhaar has it." })
  careOf: string;
  @Field(() => String, {
    description:
      'URL of the photo, which the provider fetches: https, or http, without user name and password.',
  })
  photoLink: string;
  @Field(() => DateTime, { description: 'When you verified these details; not in the future.' })
  lastVerifiedAt: Date;
  @Field(() => AddressInput, { description: 'Where they live, as Aadhaar has it.' })
  address: AddressInput;
}

@InputType({
  description:
    'Who is to be verified, under which id of yours, and how. Only `verificationId` and `user` have to be given.',
})
class StartSessionInput {
  @Field(() => String, {
    description:
      'Your own id, 1-50 of A-Z a-z 0-9 . _ -. Also what makes a retry safe: the same id with the same input answers with the same session.',
  })
  verificationId: string;
  @Field(() => SessionUserInput, { description: 'Who is to be verified.' })
  user: SessionUserInput;
  @Field(() => String, {
    nullable: true,
    description: "The provider's template of the customer's steps, such as vkyc_user_template_v1.",
  })
  userTemplate?: string;
  @Field(() => String, {
    nullable: true,
    description: "The provider's template of the agent's steps, such as vkyc_agent_template_v1.",
  })
  agentTemplate?: string;
  @Field(() => [NotificationTypeEnum], {
    nullable: true,
    description:
      'How the provider sends the link; left out: not at all. EMAIL needs an address: `user.email`, or that of a user whom the provider knows.',
  })
  notificationTypes?: string[];
  @Field(() => AadhaarDetailsInput, {
    nullable: true,
    description: 'Aadhaar details that you verified before.',
  })
  aadhaarDetails?: AadhaarDetailsInput;
  @Field(() => [SecurityQuestionInput], {
    nullable: true,
    description: 'Questions for the agent to ask, at most 20.',
  })
  securityQuestions?: SecurityQuestionInput[];
  @Field(() => ID, {
    nullable: true,
    description: 'An expired, rejected or failed session that this one takes the place of.',
  })
  replacesSessionId?: string;
}

@ObjectType({ description: 'The session exists, here and at the provider.', simpleResolvers: true })
class StartSessionSuccess {
  @Field(() => VkycSession, { description: 'The session. May be past LINK_GENERATED already.' })
  session: SessionRow;
  @Field(() => Boolean, { description: 'True when this call repeated an earlier one and changed nothing.' })
  replayed: boolean;
}

const StartSessionResult = createUnionType({
  name: 'StartSessionResult',
  description: 'The session, or why there is none.',
  types: () => [StartSessionSuccess, InvalidInputError, ConflictError, ProviderError] as const,
  ...resolveByName,
});

/**
 * Replaces the global id of the replaced session by its key, as the service expects it. For an id of another
 * type the key is empty, and the service refuses it with its path.
 */
const withReplacedKey = (input: StartSessionInput): StartSessionInput =>
  input.replacesSessionId == null
    ? input
    : { ...input, replacesSessionId: decodeSessionId(input.replacesSessionId) };

@Resolver()
export class StartSessionResolver {
  @Mutation(() => StartSessionResult, {
    description:
      'Starts a verification at the provider, which makes a link for the customer. Safe to retry, at any point and for ever.',
  })
  startSession(
    @Arg('input', () => StartSessionInput, { description: 'Who is to be verified, under which id, and how.' })
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
