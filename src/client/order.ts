/**
 * Number of sessions whose newest state is remembered. An older answer about another session is not noticed.
 */
const MAX_REMEMBERED = 1_000;

/** Parsed GraphQL document, limited to what the guard reads; the `DocumentNode` of graphql fits. */
export interface ParsedDocument {
  readonly definitions: readonly object[];
}

interface Node {
  readonly kind: string;
  readonly name?: { readonly value: string };
  readonly alias?: { readonly value: string };
  readonly arguments?: readonly { readonly name: { readonly value: string }; readonly value: Value }[];
  readonly selectionSet?: { readonly selections: readonly Node[] };
  readonly typeCondition?: { readonly name: { readonly value: string } };
  readonly operation?: string;
}

interface Value {
  readonly kind: string;
  readonly name?: { readonly value: string };
  readonly value?: unknown;
  readonly values?: readonly Value[];
  readonly fields?: readonly { readonly name: { readonly value: string }; readonly value: Value }[];
}

/** Field of an object in an answer. */
interface Field {
  readonly responseKey: string;
  readonly name: string;
  /** Name with the values of its arguments: fields of different arguments are different fields. */
  readonly storeKey: string;
  readonly selections: readonly Node[];
}

/** Newest known state of an object that has an `id` and a `version`. */
interface Newest {
  readonly version: number;
  readonly updatedAt: string | null;
  /** Values by `storeKey`, in the form of `OrderGuard.#store`. */
  readonly fields: Map<string, unknown>;
}

type Data = Record<string, unknown>;

/** Place of another object with an `id` and a `version` within the newest state of an object. */
class Reference {
  constructor(readonly id: string) {}
}

export interface GuardedAnswer<Result> {
  /** The answer. Older states of sessions in it are replaced by the newest that has been seen. */
  readonly data: Result;
  /**
   * False if the answer asks for a field of an outdated session that no newer answer had. The field is then missing:
   * send the query again.
   */
  readonly isComplete: boolean;
}

/**
 * Keeps an older answer from overwriting a newer one: compares each object that has an `id` and a `version` with the
 * newest state that any answer or frame has had, by `version` and then by `updatedAt`. Select these three fields
 * wherever you select a session. Frames that restart a stream (`FeedReset`, or `resync: true`) make the guard forget
 * what it has seen, because after a failover versions may go back.
 */
export class OrderGuard {
  readonly #newest = new Map<string, Newest>();

  /** Checks the data of an answer or frame, and remembers what is new in it. */
  check<Result>(
    document: ParsedDocument,
    variables: object | null | undefined,
    data: Result,
  ): GuardedAnswer<Result> {
    if (typeof data !== 'object' || data === null) return { data, isComplete: true };
    const nodes = document.definitions as readonly Node[];
    const operation = nodes.find(({ kind }) => kind === 'OperationDefinition');
    if (Object.values(data).some(restartsStream)) this.#newest.clear();
    const reading = new Reading(nodes, (variables ?? {}) as Data);
    this.#remember(reading, data as Data, operation?.selectionSet?.selections ?? []);
    const replaced = this.#replace(reading, data, operation?.selectionSet?.selections ?? []);
    return { data: replaced as Result, isComplete: !reading.isIncomplete };
  }

  /** Remembers the objects in a value that are newer than what is known of them, or as new. */
  #remember(reading: Reading, value: unknown, selections: readonly Node[]): void {
    if (Array.isArray(value)) for (const each of value) this.#remember(reading, each, selections);
    if (!isData(value)) return;
    const fields = reading.fieldsOf(value, selections);
    for (const { responseKey, selections } of fields) this.#remember(reading, value[responseKey], selections);
    const found = findVersion(value, fields);
    if (!found) return;
    const { id, version, updatedAt } = found;
    const known = this.#newest.get(id);
    const order = known ? compareVersions(found, known) : 1;
    if (order < 0) return;
    const stored = order > 0 || !known ? new Map<string, unknown>() : known.fields;
    for (const { responseKey, storeKey, selections } of fields)
      stored.set(storeKey, merge(stored.get(storeKey), this.#store(reading, value[responseKey], selections)));
    this.#newest.delete(id);
    this.#newest.set(id, { version, updatedAt: updatedAt ?? known?.updatedAt ?? null, fields: stored });
    const [oldest] = this.#newest.keys();
    if (this.#newest.size > MAX_REMEMBERED && oldest !== undefined) this.#newest.delete(oldest);
  }

  /** Returns the form in which a value is remembered: objects as maps by `storeKey`, or as references. */
  #store(reading: Reading, value: unknown, selections: readonly Node[]): unknown {
    if (Array.isArray(value)) return value.map((each) => this.#store(reading, each, selections));
    if (!isData(value)) return value;
    const fields = reading.fieldsOf(value, selections);
    const found = findVersion(value, fields);
    if (found) return new Reference(found.id);
    return new Map(
      fields.map(({ responseKey, storeKey, selections }) => [
        storeKey,
        this.#store(reading, value[responseKey], selections),
      ]),
    );
  }

  /** Returns a value in which each outdated object has its newest known state. */
  #replace(reading: Reading, value: unknown, selections: readonly Node[]): unknown {
    if (Array.isArray(value)) return value.map((each) => this.#replace(reading, each, selections));
    if (!isData(value)) return value;
    const fields = reading.fieldsOf(value, selections);
    const found = findVersion(value, fields);
    const known = found && this.#newest.get(found.id);
    const isOutdated = found && known && compareVersions(found, known) < 0;
    const replaced: Data = { ...value };
    for (const { responseKey, name, storeKey, selections } of fields)
      if (!isOutdated) replaced[responseKey] = this.#replace(reading, value[responseKey], selections);
      else if (known.fields.has(storeKey))
        replaced[responseKey] = this.#load(reading, known.fields.get(storeKey), selections);
      else if (!NEVER_CHANGES.has(name)) {
        reading.isIncomplete = true;
        delete replaced[responseKey];
      }
    return replaced;
  }

  /** Returns a remembered value in the form that the answer's selections ask for. */
  #load(reading: Reading, stored: unknown, selections: readonly Node[]): unknown {
    if (Array.isArray(stored)) return stored.map((each) => this.#load(reading, each, selections));
    const map = stored instanceof Reference ? this.#newest.get(stored.id)?.fields : stored;
    if (!(map instanceof Map)) {
      if (stored instanceof Reference) reading.isIncomplete = true;
      return stored instanceof Reference ? null : stored;
    }
    const loaded: Data = {};
    for (const { responseKey, storeKey, selections: inner } of reading.fieldsOf(map, selections))
      if (map.has(storeKey)) loaded[responseKey] = this.#load(reading, map.get(storeKey), inner);
      else reading.isIncomplete = true;
    return loaded;
  }
}

/** Returns `query`, `mutation` or `subscription`: the kind of the first operation of a document. */
export const findOperationKind = ({ definitions }: ParsedDocument): string | undefined =>
  (definitions as readonly Node[]).find(({ kind }) => kind === 'OperationDefinition')?.operation;

/** Fields of a session that are the same in each version. */
const NEVER_CHANGES = new Set(['__typename', 'id', 'verificationId', 'createdAt']);

/** One reading of an answer, with the document and variables that it answers. */
class Reading {
  isIncomplete = false;
  readonly #fragments: ReadonlyMap<string | undefined, Node>;
  readonly #variables: Data;

  constructor(definitions: readonly Node[], variables: Data) {
    this.#fragments = new Map(definitions.map((each) => [each.name?.value, each]));
    this.#variables = variables;
  }

  /**
   * Returns the fields that an object was asked for, or that a remembered object (a map) must be asked for. A field
   * from a fragment on the object's own type precedes one of the same name on another type, which may be an interface.
   */
  fieldsOf(value: Data | ReadonlyMap<string, unknown>, selections: readonly Node[]): readonly Field[] {
    const typename = value instanceof Map ? value.get('__typename') : (value as Data).__typename;
    const own = new Map<string, Field>();
    this.#collect(
      selections,
      own,
      (type) => type === undefined || typename === undefined || type === typename,
    );
    // Of a map, fields of fragments on other types are not missing.
    if (value instanceof Map) return [...own.values()];
    const others = new Map<string, Field>();
    this.#collect(selections, others, () => true);
    return [...new Map([...others, ...own]).values()].filter(({ responseKey }) => responseKey in value);
  }

  /** Adds the fields of selections, and of the fragments in them on types that `includes` accepts. */
  #collect(
    selections: readonly Node[],
    fields: Map<string, Field>,
    includes: (type: string | undefined) => boolean,
  ): void {
    for (const node of selections) {
      if (node.kind === 'Field') this.#addField(fields, node);
      const fragment = node.kind === 'FragmentSpread' ? this.#fragments.get(node.name?.value) : node;
      if (node.kind !== 'Field' && fragment?.selectionSet && includes(fragment.typeCondition?.name.value))
        this.#collect(fragment.selectionSet.selections, fields, includes);
    }
  }

  #addField(fields: Map<string, Field>, { name, alias, arguments: args = [], selectionSet }: Node): void {
    if (!name) return;
    const responseKey = (alias ?? name).value;
    const before = fields.get(responseKey)?.selections ?? [];
    const given = args.map(({ name, value }) => [name.value, this.#read(value)]);
    fields.set(responseKey, {
      responseKey,
      name: name.value,
      storeKey: given.length > 0 ? name.value + JSON.stringify(given) : name.value,
      // One field may be selected in several places, whose selections add up.
      selections: [...before, ...(selectionSet?.selections ?? [])],
    });
  }

  #read({ kind, name, value, values, fields }: Value): unknown {
    if (kind === 'Variable') return this.#variables[name?.value ?? ''];
    if (values) return values.map((each) => this.#read(each));
    if (fields) return fields.map(({ name, value }) => [name.value, this.#read(value)]);
    return value ?? null;
  }
}

const isData = (value: unknown): value is Data =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const restartsStream = (frame: unknown): boolean =>
  isData(frame) && (frame.__typename === 'FeedReset' || frame.resync === true);

/** What decides which of two states of an object is newer. */
export interface Version {
  readonly version: number;
  readonly updatedAt: string | null;
}

/** Returns the id and version of an object; null if it was not asked for both. */
function findVersion(value: Data, fields: readonly Field[]): (Version & { readonly id: string }) | null {
  const read = (name: string) => {
    const field = fields.find((each) => each.storeKey === name);
    return field && value[field.responseKey];
  };
  const [id, version, updatedAt] = [read('id'), read('version'), read('updatedAt')];
  if (typeof id !== 'string' || typeof version !== 'number') return null;
  return { id, version, updatedAt: typeof updatedAt === 'string' ? updatedAt : null };
}

/** Returns a negative number if `one` is older than `other`, a positive one if it is newer. */
export function compareVersions(one: Version, other: Version): number {
  if (one.version !== other.version) return one.version - other.version;
  if (one.updatedAt === null || other.updatedAt === null || one.updatedAt === other.updatedAt) return 0;
  return one.updatedAt < other.updatedAt ? -1 : 1;
}

/** Returns the newer of two stored values of one version, with the fields that only the earlier one has. */
function merge(earlier: unknown, later: unknown): unknown {
  if (!(earlier instanceof Map && later instanceof Map)) return later;
  const merged = new Map(earlier);
  for (const [key, value] of later) merged.set(key, merge(earlier.get(key), value));
  return merged;
}
