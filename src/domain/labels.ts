/**
 * Labels of a session: metadata (string pairs) and tags, in the merchant's own words. Labels hold no personal data: they
 * are stored in plain text, and the erasure of a person leaves them. Pure functions.
 */

/** Maximum numbers of the labels of one session. */
export const MAX_METADATA_PAIRS = 20;
export const MAX_TAGS = 30;

/** Maximum lengths of labels, in UTF-16 units: indexes contain labels, and PostgreSQL limits the size of an index entry. */
export const MAX_LABEL_LENGTH = { key: 40, value: 500, tag: 40 } as const;

/** Labels of a session: the metadata sorted by key, and the tags sorted. */
export interface Labels {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tags: readonly string[];
}

export const NO_LABELS: Labels = { metadata: {}, tags: [] };

/** Change of a session's labels. All other labels stay. */
export interface LabelChange {
  /** Pairs to set. A pair without a value, or with an empty one, deletes the key. */
  readonly metadata?:
    | readonly { readonly key: string; readonly value?: string | null | undefined }[]
    | undefined;
  readonly addTags?: readonly string[] | undefined;
  readonly removeTags?: readonly string[] | undefined;
}

/** Returns the labels after a change. To add a tag that is there, or to remove a label that is not, changes nothing. */
export function applyLabelChange(
  before: Labels,
  { metadata = [], addTags = [], removeTags = [] }: LabelChange,
): Labels {
  const pairs = new Map(Object.entries(before.metadata));
  for (const { key, value } of metadata)
    if (value) pairs.set(key, value);
    else pairs.delete(key);
  const tags = new Set([...before.tags, ...addTags]);
  for (const tag of removeTags) tags.delete(tag);
  // `fromEntries` defines also `__proto__` as a key of its own.
  return {
    metadata: Object.fromEntries([...pairs].sort(([a], [b]) => (a < b ? -1 : 1))),
    tags: [...tags].sort(),
  };
}

export const hasLabels = ({ metadata, tags }: Labels): boolean =>
  Object.keys(metadata).length > 0 || tags.length > 0;

/**
 * Returns the content of a LABELS audit entry: the labels as canonical JSON texts, whose order does not depend on the
 * order in which the database returns them.
 */
export const buildLabelsAuditContent = ({ metadata, tags }: Labels) => ({
  metadata: JSON.stringify(Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1))),
  tags: JSON.stringify([...tags].sort()),
});

/** Whether two sessions have, or a session had before and has after a change, the same labels. */
export function areSameLabels(a: Labels, b: Labels): boolean {
  const [one, other] = [buildLabelsAuditContent(a), buildLabelsAuditContent(b)];
  return one.metadata === other.metadata && one.tags === other.tags;
}
