import { GraphQLError } from 'graphql';
import { Ctx, Field, FieldResolver, ID, ObjectType, Resolver, Root } from 'type-graphql';
import { placeOfUser, type UserRow } from '../db/users.ts';
import { hasRole, limitOf, SEES_PERSONAL_DATA } from '../domain/access.ts';
import type { PersonalData } from '../domain/ports.ts';
import type { Context } from './context.ts';
import { ID_DESCRIPTION, Node, toGlobalId } from './node.ts';

@ObjectType({ implements: Node, description: 'A person being verified.' })
export class VkycUser extends Node {
  @Field(() => String, { description: "The provider's id of the person; yours, where you chose one." })
  userId: string;
  @Field(() => String, {
    nullable: true,
    description: "Masked unless the viewer's role may see it. Refused in subscriptions.",
  })
  phone?: string;
  @Field(() => String, {
    nullable: true,
    description: "Null unless the viewer's role may see it. Refused in subscriptions.",
  })
  name?: string;
  @Field(() => String, {
    nullable: true,
    description: "Null unless the viewer's role may see it. Refused in subscriptions.",
  })
  email?: string;
}

/** Frames of subscriptions pass through more hands than answers do. */
export function refuseInSubscriptions({ live }: Context): void {
  if (!live) return;
  throw new GraphQLError('Personal data is not offered in subscriptions: query it by the id.', {
    extensions: { code: 'FORBIDDEN' },
  });
}

/** A customer alone meets only themselves; one who is staff as well needs a staff role that may see people. */
const seesPersonalData = ({ viewer }: Context): boolean =>
  hasRole(viewer, limitOf(viewer) ? SEES_PERSONAL_DATA : STAFF_WHO_SEE);

const STAFF_WHO_SEE = SEES_PERSONAL_DATA.filter((role) => role !== 'CUSTOMER');

/** Free text that was sealed when it was stored. */
export const openText = ({ services }: Context, sealed: Buffer | null, place: string): string | null =>
  sealed && services.sealer.open(sealed, place).toString('utf8');

const masked = (phone: string): string => phone.slice(-4).padStart(phone.length, '•');

@Resolver(() => VkycUser)
export class UserResolver {
  @FieldResolver(() => ID, { description: ID_DESCRIPTION })
  id(@Root() user: UserRow): string {
    return toGlobalId('VkycUser', user.id);
  }

  @FieldResolver(() => String, { nullable: true })
  phone(@Root() user: UserRow, @Ctx() context: Context): string | null {
    const { phone } = personalOf(user, context);
    return phone === null || seesPersonalData(context) ? phone : masked(phone);
  }

  @FieldResolver(() => String, { nullable: true })
  name(@Root() user: UserRow, @Ctx() context: Context): string | null {
    const { name } = personalOf(user, context);
    return seesPersonalData(context) ? name : null;
  }

  @FieldResolver(() => String, { nullable: true })
  email(@Root() user: UserRow, @Ctx() context: Context): string | null {
    const { email } = personalOf(user, context);
    return seesPersonalData(context) ? email : null;
  }
}

function personalOf(user: UserRow, context: Context): PersonalData {
  refuseInSubscriptions(context);
  return JSON.parse(context.services.sealer.open(user.personal, placeOfUser(user.id)).toString('utf8'));
}
