import type { GraphQLSchema } from 'graphql';
import { readEndpointHealth } from '../db/outgoing/endpoints.ts';
import { MeetingCalendar } from '../domain/calendar.ts';
import type { Services } from '../graphql/context.ts';
import { createErrorFormatter, getErrorCode } from '../graphql/errors.ts';
import { createJitExecutor } from '../graphql/jit-executor.ts';
import { noIntrospectionRule } from '../graphql/limits.ts';
import { OperationPreparer } from '../graphql/operation-cache.ts';
import { createOperationHandler } from '../graphql/operation-handler.ts';
import { createViewerRateLimiter } from '../graphql/rate-limit.ts';
import { getSchema } from '../graphql/schema.ts';
import { buildSubgraphSchema } from '../graphql/subgraph.ts';
import {
  createTrustedDocumentPolicy,
  type DocumentPolicy,
  readPublishedManifest,
} from '../graphql/trusted-documents.ts';
import { DataAccessLog } from '../services/audit/data-access-log.ts';
import { canNotify } from '../services/outgoing/notification-settings.ts';
import { replayWebhooks } from '../services/outgoing/replay-webhooks.ts';
import {
  addNote,
  assignAgent,
  closeSession,
  escalateSession,
  resolveDispute,
  resolveEscalation,
  unassignAgent,
} from '../services/sessions/annotate.ts';
import { claimNext } from '../services/sessions/claim-next.ts';
import { labelSession } from '../services/sessions/label-session.ts';
import { cancelMeeting, scheduleMeeting } from '../services/sessions/meetings.ts';
import { notifyCustomer } from '../services/sessions/notify-customer.ts';
import { createSdkToken, refreshSession, requestRecording } from '../services/sessions/provider-actions.ts';
import { recordReview } from '../services/sessions/record-review.ts';
import { SessionFiguresService } from '../services/sessions/session-figures.ts';
import { createStartSession } from '../services/sessions/start-session.ts';
import { withErrorCount, withMetrics } from '../telemetry/operations.ts';
import type { Core } from './core.ts';
import type { OpenedDatabase } from './database.ts';
import type { OpenedFeed } from './feed.ts';
import { readNotificationSettings } from './notifications.ts';
import type { OpenedProvider } from './provider.ts';
import type { OpenedTransitions } from './transitions.ts';

/** Builds the pipeline that the three transports (HTTP, SSE, WebSocket) execute operations with. */
export async function createGraphqlPipeline(
  core: Core,
  services: Services,
  { db, auditKeys }: OpenedDatabase,
) {
  const { config, overrides, clock, log, metrics } = core;
  const schema: GraphQLSchema = config.subgraph ? buildSubgraphSchema(config.subgraph.prefix) : getSchema();
  const documentPolicy: DocumentPolicy = config.trustedDocumentsOnly
    ? createTrustedDocumentPolicy(await readPublishedManifest())
    : (payload) => payload;
  const handleOperation = createOperationHandler({
    executor: overrides.executor ?? createJitExecutor(schema),
    seconds: config.requestSeconds,
    readLog: new DataAccessLog({ db, keys: auditKeys, clock }),
    log,
  });
  return {
    ...{ schema, services, documentPolicy },
    execute: withMetrics(handleOperation, metrics, getErrorCode),
    rateLimit: createViewerRateLimiter(config.costPerMinute),
    operations: new OperationPreparer({
      ...{ schema, documentPolicy },
      rules: config.introspection ? [] : [noIntrospectionRule],
      hideSuggestions: !config.introspection,
    }),
    formatError: withErrorCount(createErrorFormatter(log), metrics),
  };
}

/** Builds the services that resolvers call. */
export function createResolverServices(
  { config, clock, log, metrics }: Core,
  { db, sealer, statistics, pools, auditKeys }: OpenedDatabase,
  { providers, onMismatch }: OpenedProvider,
  { hub, cursors }: OpenedFeed,
  { unitOfWork }: OpenedTransitions,
): Services {
  const clients = providers.clients('MUTATION');
  const notifications = readNotificationSettings(config);
  const policy = { auditUnknownAgents: config.auditUnknownAgents, notifies: canNotify(notifications) };
  const { templates } = providers.current;
  const aadhaar = { maxAgeDays: config.aadhaarMaxAgeDays, holidays: new Set(config.holidays) };
  const rules = { templates, aadhaar };
  const calendar = config.calendar && new MeetingCalendar(config.calendar);
  const leaseMs = config.claimLeaseMinutes * 60_000;
  const actions = { db, clock, unitOfWork, sealer, policy, leaseMs, providers: clients, onMismatch, log };
  const merchantWebhooks = {
    endpoints: config.merchantWebhooks?.endpoints ?? [],
    readHealth: () => readEndpointHealth(pools.watching, clock.now()),
  };
  const accessLog = new DataAccessLog({ db, keys: auditKeys, clock });
  return {
    ...{ merchantWebhooks, db, sealer, clock, calendar, policy, hub, cursors, templates },
    figures: new SessionFiguresService({ db, statistics, clock, log }),
    startSession: createStartSession({ db, clock, providers: clients, unitOfWork, sealer, policy, rules }),
    scheduleMeeting: (viewer, input) => scheduleMeeting({ ...actions, calendar }, viewer, input),
    cancelMeeting: (viewer, input) => cancelMeeting(actions, viewer, input),
    recordReview: (viewer, stage, input) => recordReview(actions, viewer, stage, input),
    closeSession: (viewer, input) => closeSession(actions, viewer, input),
    addNote: (viewer, input) => addNote(actions, viewer, input),
    escalateSession: (viewer, input) => escalateSession(actions, viewer, input),
    resolveEscalation: (viewer, input) => resolveEscalation(actions, viewer, input),
    resolveDispute: (viewer, input) => resolveDispute(actions, viewer, input),
    assignAgent: (viewer, input) => assignAgent(actions, viewer, input),
    unassignAgent: (viewer, input) => unassignAgent(actions, viewer, input),
    claimNext: (viewer, input) => claimNext(actions, viewer, input),
    labelSession: (viewer, input) => labelSession(actions, viewer, input),
    notifyCustomer: (viewer, input) => notifyCustomer({ ...actions, notifications }, viewer, input),
    replayWebhooks: (viewer, input) =>
      replayWebhooks({ ...merchantWebhooks, db, clock, accessLog }, viewer, input),
    refreshSession: (viewer, id) => refreshSession(actions, viewer, id),
    requestRecording: (viewer, id) => requestRecording(actions, viewer, id),
    createSdkToken: (viewer, id) => createSdkToken(actions, viewer, id),
    onRefusal: (code) => metrics.refusals.inc({ code }),
  };
}
