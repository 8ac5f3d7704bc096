/**
 * Reads a list of sessions as the rows of a table. Each page is a GraphQL query, so that the filters, the access rules, the
 * timeout and the read log (who read whose data) are those of every other query.
 */
import type { ExecutionResult } from 'graphql';
import { findFieldRule, maySeeField, type Viewer } from '../domain/access.ts';
import { invariant } from '../domain/invariant.ts';
import type { FrameBudget } from '../feed/frame-budget.ts';
import { createContext, type Services } from './context.ts';
import { LIMITS } from './limits.ts';
import type { CheckedOperation, OperationPreparer, OperationRefusal } from './operation-cache.ts';
import type { ExecuteQueryOrMutation } from './operation-handler.ts';

/** Object of the answer: a session, or an object below it. */
type Answered = Readonly<Record<string, unknown>>;

interface Column {
  readonly name: string;
  /** Type and field whose access rule decides who gets the column. */
  readonly type: string;
  readonly field: string;
  /** Field of the session below which the value is found; null if the session has the value itself. */
  readonly parent: string | null;
  /** Selection of the value, without that of the parent. */
  readonly selection: string;
  read(session: Answered): unknown;
}

const ofSession = (field: string): Column => ({
  name: field,
  type: 'VkycSession',
  field,
  parent: null,
  selection: field,
  read: (session) => session[field],
});

const below = (parent: string, type: string, field: string, name = field): Column => ({
  name,
  type,
  field,
  parent,
  selection: field,
  read: (session) => (session[parent] as Answered | null)?.[field],
});

const METADATA: Column = {
  ...ofSession('metadata'),
  selection: 'metadata { key value }',
  read: ({ metadata }) => (metadata as Answered[] | null)?.map(({ key, value }) => `${key}=${value}`),
};

/** Columns of an export, in their order. A released column keeps its name and meaning; new columns are added at the end. */
const COLUMNS: readonly Column[] = [
  ofSession('verificationId'),
  ofSession('referenceId'),
  below('user', 'VkycUser', 'userId'),
  below('user', 'VkycUser', 'name'),
  below('user', 'VkycUser', 'phone'),
  below('user', 'VkycUser', 'email'),
  ofSession('status'),
  ofSession('subStatus'),
  ofSession('statusSince'),
  below('statusInfo', 'StatusInfo', 'waitingOn'),
  ofSession('disputed'),
  ofSession('escalated'),
  ofSession('closed'),
  ofSession('replaced'),
  ofSession('assignedAgent'),
  ofSession('assignedUntil'),
  ofSession('dueAt'),
  ofSession('overdue'),
  below('meeting', 'Meeting', 'startsAt', 'meetingAt'),
  ofSession('linkExpiresAt'),
  ofSession('createdAt'),
  ofSession('updatedAt'),
  ofSession('tags'),
  METADATA,
];

/** Returns the columns that the viewer sees in full. A column that would be empty or masked is left out. */
const columnsFor = (viewer: Viewer): readonly Column[] =>
  COLUMNS.filter(({ type, field }) => {
    const rule = findFieldRule(type, field);
    invariant(rule, `a column of exports shows ${type}.${field}, which has no access rule`);
    return maySeeField(viewer, rule, {});
  });

/** Selects each parent once, because each selection of it costs as much as an object. */
const selectionFor = (columns: readonly Column[]): string =>
  [...new Set(columns.map(({ parent }) => parent))]
    .map((parent) => {
      const group = columns.filter((column) => column.parent === parent);
      const fields = group.map(({ selection }) => selection).join(' ');
      return parent ? `${parent} { ${fields} }` : fields;
    })
    .join(' ');

const documentFor = (columns: readonly Column[]): string => `
  query VkycSessionExport($first: Int!, $after: String, $filter: SessionFilter, $orderBy: SessionOrder) {
    sessions(first: $first, after: $after, filter: $filter, orderBy: $orderBy) {
      nodes { ${selectionFor(columns)} }
      pageInfo { hasNextPage endCursor }
    }
  }`;

/** Arguments `filter` and `orderBy` of the query `sessions`, unvalidated. */
export interface ExportArguments {
  readonly filter?: unknown;
  readonly orderBy?: unknown;
}

interface Dependencies {
  readonly operations: OperationPreparer;
  readonly execute: ExecuteQueryOrMutation;
  readonly services: Services;
}

/** Export of one list for one viewer. */
export class SessionExport {
  /** Names of the columns that the viewer gets. */
  readonly header: readonly string[];
  readonly #dependencies: Dependencies;
  readonly #viewer: Viewer;
  readonly #list: ExportArguments;
  readonly #columns: readonly Column[];

  constructor(dependencies: Dependencies, viewer: Viewer, list: ExportArguments) {
    this.#dependencies = dependencies;
    this.#viewer = viewer;
    this.#list = list;
    this.#columns = columnsFor(viewer);
    this.header = this.#columns.map(({ name }) => name);
  }

  /** Returns the query of the page after a cursor (null: of the first page), or its errors if the list is refused. */
  preparePage(after: string | null): CheckedOperation | OperationRefusal {
    const { operations } = this.#dependencies;
    // The document is the gateway's own, so that it needs no permission by the list of trusted documents.
    const document = operations.documentOf(documentFor(this.#columns));
    return operations.operationOf(document, { variables: { ...this.#list, first: LIMITS.page, after } });
  }

  /**
   * Reads the list page by page, each as rows with one value per column. Waits before each page but the first until the
   * budget holds its cost. Ends early if `isOver` returns true.
   *
   * @throws GraphQLError if a page cannot be read
   */
  async *readPages(
    first: CheckedOperation,
    budget: FrameBudget,
    isOver: () => boolean,
  ): AsyncGenerator<readonly (readonly unknown[])[]> {
    for (let operation = first; ; ) {
      const { nodes, pageInfo } = await this.#readPage(operation);
      yield nodes.map((session) => this.#columns.map((column) => column.read(session)));
      if (!pageInfo.hasNextPage) return;
      await budget.spend(1, isOver);
      if (isOver()) return;
      const next = this.preparePage(pageInfo.endCursor);
      invariant(!('errors' in next), 'the first page of an export was accepted and a later one was refused');
      operation = next;
    }
  }

  async #readPage(operation: CheckedOperation): Promise<ReadPage> {
    const { execute, services } = this.#dependencies;
    const contextValue = createContext(services, this.#viewer);
    const { data, errors }: ExecutionResult = await execute({ ...operation, contextValue });
    const [error] = errors ?? [];
    if (error) throw error;
    return (data as { sessions: ReadPage }).sessions;
  }
}

interface ReadPage {
  readonly nodes: readonly Answered[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string };
}
