/** Binding for React 18.2 and later: hooks over the live data of the package. On a server they open no connection. */
import { useMemo, useSyncExternalStore } from 'react';
import {
  feedOf,
  type ListDocuments,
  type ListResult,
  type LiveClient,
  type LiveSession,
  type LiveSessions,
  SessionListStore,
  type SessionOf,
  SessionStore,
} from './live-store.ts';
import type { FeedStatus } from './states.ts';
import type { TypedDocumentText } from './typed-document.ts';

export type { LiveClient, LiveSession, LiveSessions } from './live-store.ts';
export type { FeedReason, FeedStatus } from './states.ts';

/**
 * Hook that follows one session while the component is mounted. `watch` is a subscription `sessionLive`, such as
 * `VkycWatchSession`. Without a client (on a server) or a session id, nothing is followed.
 */
export function useLiveSession<Result, Variables extends { sessionId: string }>(
  client: LiveClient | null,
  watch: TypedDocumentText<Result, Variables>,
  sessionId: string | null,
): LiveSession<SessionOf<Result>> {
  const store = useMemo(
    () => new SessionStore<Result>(sessionId === null ? null : client, watch, { sessionId }),
    [client, watch, sessionId],
  );
  return useSyncExternalStore(store.subscribe, store.get, store.get);
}

/**
 * Hook that follows the first page of a list of sessions while the component is mounted, with its order, filter and
 * count. The documents are such as `{ list: VkycFloor, watch: VkycWatchFloor }`; the variables are those of the list.
 */
export function useLiveSessions<List extends ListResult, Variables extends object>(
  client: LiveClient | null,
  { list, watch }: ListDocuments<List, Variables>,
  variables: Variables,
): LiveSessions<List['sessions']['nodes'][number]> {
  // Compared by their text, because applications write the variables where they call the hook.
  const text = JSON.stringify(variables);
  const store = useMemo(
    () => new SessionListStore<List>(client, { list, watch }, JSON.parse(text)),
    [client, list, watch, text],
  );
  return useSyncExternalStore(store.subscribe, store.get, store.get);
}

const unsubscribe = () => {};
const withoutFeed = { subscribe: () => unsubscribe, get: () => null };

/**
 * Hook for a badge: the status of that live data of the client which is furthest from live; null while no component
 * shows any.
 */
export function useFeedState(client: LiveClient | null): FeedStatus | null {
  const feed = client ? feedOf(client) : withoutFeed;
  return useSyncExternalStore(feed.subscribe, feed.get, withoutFeed.get);
}
