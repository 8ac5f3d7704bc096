import { Arg, Ctx, Field, FieldResolver, ID, ObjectType, Query, Resolver, Root } from 'type-graphql';
import { formatPersonalDataRowKey } from '../db/audit/personal-data-reads.ts';
import { findUsersByPhoneHashes, getUserSealingContext, type UserRow } from '../db/sessions/users.ts';
import type { ContactDetails } from '../domain/ports.ts';
import { createBadInputError } from './connection.ts';
import type { Context } from './context.ts';
import { LIMITS } from './limits.ts';
import { ID_DESCRIPTION, Node, toGlobalId } from './node.ts';

@ObjectType({ implements: Node, simpleResolvers: true, description: 'Person who is being verified.' })
export class VkycUser extends Node {
  @Field(() => String, {
    description:
      'Id of the person at the provider: the `userId` that you passed to startSession, or a generated one.',
  })
  userId: string;
  @Field(() => String, {
    nullable: true,
    description:
      'Phone number: 10 digits without country code. Masked except for the last four digits if your role may not see it. Cannot be selected in subscriptions.',
  })
  phone?: string;
  @Field(() => String, {
    nullable: true,
    description:
      'Full name. Null if unknown, or if your role may not see it. Cannot be selected in subscriptions.',
  })
  name?: string;
  @Field(() => String, {
    nullable: true,
    description:
      'Email address. Null if unknown, or if your role may not see it. Cannot be selected in subscriptions.',
  })
  email?: string;
}

/** Most people that `users` returns. One person has one user id, unless systems have started them under several. */
const MAX_USERS = LIMITS.usersOfPhone;
const PHONE = /^\d{10}$/;

/**
 * Decrypts a free text that is stored sealed (encrypted); null if there is no text. `place` is the context of the
 * encryption (AAD): the table, row and column of the text.
 */
export const decryptText = ({ services }: Context, sealed: Buffer | null, place: string): string | null =>
  sealed && services.sealer.open(sealed, place).toString('utf8');

@Resolver(() => VkycUser)
export class UserResolver {
  @Query(() => [VkycUser], {
    description: `People with this phone number, the newest first, at most ${MAX_USERS}. Empty if there are none. Not served by GET, because servers log URLs.`,
  })
  async users(
    @Arg('phone', () => String, { description: 'Whole phone number: 10 digits, without country code.' })
    phone: string,
    @Ctx() { services, pace, shown }: Context,
  ): Promise<UserRow[]> {
    if (!PHONE.test(phone)) throw createBadInputError('`phone` must be 10 digits, without country code.');
    const found = await findUsersByPhoneHashes(
      services.db,
      services.sealer.candidateHashes(phone),
      MAX_USERS,
    );
    await pace.take(found.length);
    // Whatever the query selects, the answer tells whose phone number this is. The read log records that.
    for (const { id } of found) shown?.note('VkycUser.phone', formatPersonalDataRowKey('vkyc_user', id));
    return found;
  }

  @FieldResolver(() => ID, { description: ID_DESCRIPTION })
  id(@Root() user: UserRow): string {
    return toGlobalId('VkycUser', user.id);
  }

  @FieldResolver(() => String, { nullable: true })
  phone(@Root() user: UserRow, @Ctx() context: Context): string | null {
    return decryptPersonal(user, context).phone;
  }

  @FieldResolver(() => String, { nullable: true })
  name(@Root() user: UserRow, @Ctx() context: Context): string | null {
    return decryptPersonal(user, context).name;
  }

  @FieldResolver(() => String, { nullable: true })
  email(@Root() user: UserRow, @Ctx() context: Context): string | null {
    return decryptPersonal(user, context).email;
  }
}

/**
 * Decrypted personal data by user row, so that a row is decrypted once even if several of its fields are
 * selected.
 */
const opened = new WeakMap<UserRow, ContactDetails>();

function decryptPersonal(user: UserRow, { services }: Context): ContactDetails {
  const personal =
    opened.get(user) ??
    (JSON.parse(
      services.sealer.open(user.personal, getUserSealingContext(user.id)).toString('utf8'),
    ) as ContactDetails);
  opened.set(user, personal);
  return personal;
}
