import { Ctx, Field, ObjectType, Query, Resolver } from 'type-graphql';
import type { Viewer as Asker, Role } from '../domain/access.ts';
import type { Context } from './context.ts';
import { DateTime } from './date-time.ts';
import { RoleEnum } from './enums.ts';

@ObjectType({ description: 'The authenticated user of this request.', simpleResolvers: true })
class Viewer implements Pick<Asker, 'id' | 'roles' | 'expiresAt'> {
  @Field(() => String, {
    description: 'Subject (`sub`) of the token. `developer` if development mode runs without tokens.',
  })
  id: string;
  @Field(() => [RoleEnum], {
    description: 'Roles in the token, which decide what the viewer may do and see.',
  })
  roles: readonly Role[];
  @Field(() => DateTime, {
    nullable: true,
    description:
      'Time at which the token expires and the gateway closes live sockets with code 4403. Null if there is no token.',
  })
  expiresAt: Date | null;
}

@Resolver()
export class ViewerResolver {
  @Query(() => Viewer, { description: 'Identity and roles that the gateway took from your token.' })
  viewer(@Ctx() { viewer }: Context): Asker {
    return viewer;
  }
}
