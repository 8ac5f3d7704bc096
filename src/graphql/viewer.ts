import { Ctx, Field, ObjectType, Query, Resolver } from 'type-graphql';
import type { Viewer as Asker, Role } from '../domain/access.ts';
import type { Context } from './context.ts';
import { DateTime } from './date-time.ts';
import { RoleEnum } from './enums.ts';

@ObjectType({ description: 'Who is asking.', simpleResolvers: true })
class Viewer implements Pick<Asker, 'id' | 'roles' | 'expiresAt'> {
  @Field(() => String, { description: "The token's subject; in development without a token: developer." })
  id: string;
  @Field(() => [RoleEnum], { description: 'The roles of the token: what the viewer may do and see.' })
  roles: readonly Role[];
  @Field(() => DateTime, {
    nullable: true,
    description: 'When the token ends and live sockets close with 4403; null where there is no token.',
  })
  expiresAt: Date | null;
}

@Resolver()
export class ViewerResolver {
  @Query(() => Viewer, { description: 'Who you are to this gateway.' })
  viewer(@Ctx() { viewer }: Context): Asker {
    return viewer;
  }
}
