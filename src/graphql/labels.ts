import {
  Arg,
  Ctx,
  Field,
  FieldResolver,
  InputType,
  Mutation,
  ObjectType,
  Resolver,
  Root,
} from 'type-graphql';
import type { SessionSummary } from '../db/sessions/sessions.ts';
import { MAX_LABEL_LENGTH, MAX_METADATA_PAIRS, MAX_TAGS } from '../domain/labels.ts';
import type { Context } from './context.ts';
import { toMutationResult } from './mutation-error.ts';
import {
  ActionInput,
  ActionSuccess,
  createActionResultUnion,
  withDecodedSessionId,
} from './session-action.ts';
import { VkycSession } from './session-type.ts';

const NOT_PERSONAL =
  'Never put personal data here, such as a name, a phone number or an Aadhaar number: the gateway stores labels in plain text, and does not erase them with a person.';
const KEY = `Your own name of the value, such as branch: one line of 1 to ${MAX_LABEL_LENGTH.key} characters, case-sensitive.`;
const VALUE = `one line of 1 to ${MAX_LABEL_LENGTH.value} characters`;
const TAG = `one line of 1 to ${MAX_LABEL_LENGTH.tag} characters, case-sensitive`;

@ObjectType({ description: 'One pair of the metadata of a session.', simpleResolvers: true })
class MetadataEntry {
  @Field(() => String, { description: KEY })
  key: string;
  @Field(() => String, { description: 'Your own value.' })
  value: string;
}

@InputType({ description: `One pair of the metadata of a session. ${NOT_PERSONAL}` })
export class MetadataEntryInput {
  @Field(() => String, { description: KEY })
  key: string;
  @Field(() => String, { description: `Your own value: ${VALUE}.` })
  value: string;
}

@InputType({ description: `Change of one pair of the metadata of a session. ${NOT_PERSONAL}` })
class MetadataChangeInput {
  @Field(() => String, { description: KEY })
  key: string;
  @Field(() => String, {
    nullable: true,
    description: `Your own value: ${VALUE}. If empty, null or left out, the key is deleted.`,
  })
  value?: string;
}

@InputType({
  description:
    'Input of labelSession: the session, and which labels to set and to remove. At least one of `metadata`, `addTags` and `removeTags` must have an entry. All other labels stay.',
})
class LabelSessionInput extends ActionInput {
  @Field(() => [MetadataChangeInput], {
    nullable: true,
    description: `Pairs to set or to delete. Afterwards the session may have at most ${MAX_METADATA_PAIRS} pairs.`,
  })
  metadata?: MetadataChangeInput[];
  @Field(() => [String], {
    nullable: true,
    description: `Tags to add, each ${TAG}. A tag that the session has already stays. Afterwards the session may have at most ${MAX_TAGS} tags. ${NOT_PERSONAL}`,
  })
  addTags?: string[];
  @Field(() => [String], {
    nullable: true,
    description: 'Tags to remove. A tag that the session does not have is ignored.',
  })
  removeTags?: string[];
}

/** Descriptions of the fields for labels in inputs of other types. */
export const START_METADATA_DESCRIPTION = `Your own string pairs, at most ${MAX_METADATA_PAIRS}, by which staff find the session. Change them later with labelSession. ${NOT_PERSONAL}`;
export const START_TAGS_DESCRIPTION = `Your own tags, at most ${MAX_TAGS}, each ${TAG}. Change them later with labelSession. ${NOT_PERSONAL}`;

@ObjectType({
  description: 'The change was recorded, or the session had these labels already.',
  simpleResolvers: true,
})
class LabelSessionSuccess extends ActionSuccess {}

const LabelSessionResult = createActionResultUnion(
  'LabelSessionResult',
  'The session with its labels, or the reason for refusing them.',
  LabelSessionSuccess,
);

@Resolver(() => VkycSession)
export class LabelsResolver {
  @Mutation(() => LabelSessionResult, {
    description:
      'Changes the metadata and tags of a session, which only staff see. Status and `version` do not change; subscribers get a transition with the change LABELS, unless the session has the labels already.',
  })
  labelSession(
    @Arg('input', () => LabelSessionInput, {
      description: 'The session, and the pairs and tags to set or remove.',
    })
    input: LabelSessionInput,
    @Ctx() context: Context,
  ) {
    const work = context.services.labelSession(context.viewer, withDecodedSessionId(input));
    return toMutationResult('LabelSessionSuccess', context, work);
  }

  @FieldResolver(() => [MetadataEntry], {
    nullable: true,
    description: `Your own string pairs, sorted by key, at most ${MAX_METADATA_PAIRS}. Null for customers.`,
  })
  async metadata(@Root() { id }: SessionSummary, @Ctx() { loaders }: Context): Promise<MetadataEntry[]> {
    const labels = await loaders.labels.load(id);
    return Object.entries(labels?.metadata ?? {})
      .map(([key, value]) => ({ key, value }))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  @FieldResolver(() => [String], {
    nullable: true,
    description: `Your own tags, sorted, at most ${MAX_TAGS}. Null for customers.`,
  })
  async tags(@Root() { id }: SessionSummary, @Ctx() { loaders }: Context): Promise<readonly string[]> {
    return (await loaders.labels.load(id))?.tags ?? [];
  }
}
