import { findLabelsOfSessions } from '../../db/sessions/labels.ts';
import type { Viewer } from '../../domain/access.ts';
import type { FieldProblem } from '../../domain/errors.ts';
import {
  applyLabelChange,
  areSameLabels,
  type Labels,
  MAX_METADATA_PAIRS,
  MAX_TAGS,
  NO_LABELS,
} from '../../domain/labels.ts';
import { metadataChangeSchema, tagListSchema } from './label-values.ts';
import {
  type ActionDependencies,
  type ActionResult,
  actionInputSchema,
  performAction,
} from './perform-action.ts';
import { parseOrRefuse, toInputRefusal, toOptionalSchema } from './validation.ts';

const labelInput = actionInputSchema
  .extend({
    metadata: toOptionalSchema(metadataChangeSchema),
    addTags: toOptionalSchema(tagListSchema),
    removeTags: toOptionalSchema(tagListSchema),
  })
  .superRefine(({ metadata, addTags, removeTags }, context) => {
    if (!metadata?.length && !addTags?.length && !removeTags?.length)
      context.addIssue({ code: 'custom', message: 'must have an entry in metadata, addTags or removeTags' });
    const both = removeTags?.find((tag) => addTags?.includes(tag));
    if (both !== undefined)
      context.addIssue({ code: 'custom', path: ['removeTags'], message: 'must not have a tag of addTags' });
  });

/**
 * Changes the metadata and tags of a session. A change that leaves them as they are is not recorded.
 *
 * @throws Refusal if the input is invalid, the session would have too many labels, or the action is not allowed
 */
export async function labelSession(
  dependencies: ActionDependencies,
  viewer: Viewer,
  raw: unknown,
): Promise<Omit<ActionResult, 'outcomeId'>> {
  const input = parseOrRefuse(labelInput, raw);
  const { session, replayed } = await performAction(
    dependencies,
    viewer,
    'LABEL',
    input,
    async (writer, before) => {
      const [stored] = await findLabelsOfSessions(writer.tx, [before.id]);
      const labels = applyLabelChange(stored ?? NO_LABELS, input);
      const unchanged = { session: before, outcomeId: before.id };
      if (areSameLabels(stored ?? NO_LABELS, labels)) return unchanged;
      const problems = findExcess(labels);
      if (problems.length > 0) throw toInputRefusal(problems);
      const by = { source: 'MUTATION', actor: viewer.id } as const;
      const after = await writer.applyOwn(before, before, 'LABELLED', by);
      writer.changes.setLabels(before.id, labels);
      return { ...unchanged, session: after };
    },
  );
  return { session, replayed };
}

/** Returns a problem for each kind of label of which the session would have too many. */
function findExcess({ metadata, tags }: Labels): FieldProblem[] {
  const pairs = Object.keys(metadata).length;
  const problems: FieldProblem[] = [];
  if (pairs > MAX_METADATA_PAIRS)
    problems.push({
      path: ['metadata'],
      message: `must leave at most ${MAX_METADATA_PAIRS} pairs, not ${pairs}`,
    });
  if (tags.length > MAX_TAGS)
    problems.push({ path: ['addTags'], message: `must leave at most ${MAX_TAGS} tags, not ${tags.length}` });
  return problems;
}
