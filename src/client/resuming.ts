/** How a subscription fares: up to date, reading what it missed, or without sign of life from the server. */
export type FeedState = 'live' | 'catching up' | 'stale';
type Payload = { query: string; operationName?: string | null; variables?: object | null };
type Frame = { data?: object | null; extensions?: { replay?: boolean } };
type Sink = { next(frame: Frame): void; error(error: unknown): void; complete(): void };
type Subscribe = (payload: Payload, sink: Sink, on?: { connected?(again: boolean): void }) => () => void;
type Stock = { subscribe: Subscribe; on?(event: string, heard: () => void): () => void; terminate?(): void };
/** Exponential backoff with full jitter: anything up to a second at first, up to 30 in the end. */
export const backoffMs = (retries: number): number => Math.random() * Math.min(30_000, 1_000 * 2 ** retries);
const wait = (retries: number) => new Promise((resolve) => setTimeout(resolve, backoffMs(retries)));
const notResumable = (remedy: string) => new Error(`This subscription cannot be resumed: ${remedy}.`);
const iterate = () => {
  throw new Error('Use subscribe(): iterate() of the stock client knows nothing of cursors.');
};

/** The variables that a subscription declares; nothing for any other operation. */
function declaredBy({ query, operationName }: Payload): string | undefined {
  let heads = query.replace(/"""[\s\S]*?"""|"(?:\\.|[^"\\])*"|#.*/g, '');
  while (/\{[^{}]*\}/.test(heads)) heads = heads.replace(/\{[^{}]*\}/g, ';');
  const name = operationName || '\\w*';
  return heads.match(`(?:^|;)\\s*subscription\\b\\s*${name}\\b\\s*((?:\\([^)]*\\))?)`)?.[1];
}

/** The stock client, of graphql-ws or graphql-sse (distinct connections), whose subscriptions retry for ever and go on
 * after their last `cursor`; give a first `$after`, so that nothing before it is missed. `onState` gets each change with
 * the object subscribed with. Silent for `silenceMs` (25 s): connected anew. Where no heartbeats are selected, pongs count
 * as signs of life, and `quietMs` (2 s) without news of the past as live. */
export function resuming<Create extends (options: never) => { subscribe: unknown }>(
  createClient: Create,
  options: Parameters<Create>[0],
  { onState = (_state: FeedState, _payload: Payload) => {}, silenceMs = 25_000, quietMs = 2_000 } = {},
): ReturnType<Create> {
  const retries = { retryAttempts: Infinity, shouldRetry: () => true, retryWait: wait, retry: wait };
  const full = { ...retries, keepAlive: 10_000, connectionAckWaitTimeout: silenceMs, ...(options as object) };
  const made = createClient(full as never) as Stock;
  // graphql-sse does not tell whose connection is lost, and takes some losses for the end: its retries are made here.
  const client = made.terminate ? made : (createClient({ ...full, retryAttempts: 0 } as never) as Stock);
  const { on, terminate } = client;
  const link = { open: false, disposed: false };
  for (const open of [true, false]) on?.(open ? 'connected' : 'closed', () => Object.assign(link, { open }));
  const subscribe: Subscribe = (payload, sink, listeners) => {
    const declared = declaredBy(payload);
    if (declared === undefined) return client.subscribe(payload, sink, listeners);
    const request = { ...payload, variables: { ...payload.variables } as { after?: unknown } };
    const beats = /\bHeartbeat\b/.test(payload.query);
    const patienceMs = beats ? silenceMs : terminate && full.keepAlive && silenceMs + full.keepAlive;
    let [state, failures, over, stop] = ['' as FeedState | '', 0, false, () => {}];
    let timer: ReturnType<typeof setTimeout>;
    const become = (next: FeedState) => {
      clearTimeout(timer);
      if (over) return;
      if (next === 'catching up' && !beats) timer = setTimeout(() => become('live'), quietMs);
      else if (next !== 'stale' && patienceMs) timer = setTimeout(terminate ?? lose, patienceMs);
      if (next !== state) onState(next, payload);
      state = next;
    };
    const end = (tell: () => void) => {
      if (over) return;
      over = true;
      for (const release of [stop, ...unlisten, () => clearTimeout(timer)]) release?.();
      tell();
    };
    const [leave, fail] = [() => end(() => sink.complete()), (why: unknown) => end(() => sink.error(why))];
    const lose = () => {
      become('stale');
      stop();
      if (link.disposed) return leave();
      full.retry(failures++).then(open);
    };
    const next = (frame: Frame) => {
      const root = Object.values(frame.data ?? {}).find((value) => typeof value === 'object');
      if (root && !root.cursor) return fail(notResumable('select `cursor` on every type that it may send'));
      if (root) become(frame.extensions?.replay ? 'catching up' : 'live');
      request.variables.after = root?.cursor ?? request.variables.after;
      failures = 0;
      sink.next(frame);
    };
    const error = (why: unknown) => (terminate || failures >= full.retryAttempts ? fail(why) : lose());
    const connected = (again: boolean) => [become('catching up'), listeners?.connected?.(again)];
    const open = () => {
      if (over) return;
      if (!terminate) timer = setTimeout(lose, silenceMs);
      const complete = () => stop === mine && (state !== 'stale' || link.disposed) && leave();
      const mine = client.subscribe(request, { next, error, complete }, { ...listeners, connected });
      stop = mine;
    };
    const unlisten = [on?.('connected', () => become('catching up')), on?.('closed', () => become('stale'))];
    unlisten.push(on?.('pong', () => !beats && state === 'live' && become('live')));
    if (/\$after\b/.test(declared)) open();
    else queueMicrotask(() => fail(notResumable('declare the variable $after and hand it on as `after`')));
    if (link.open) become('catching up');
    return leave;
  };
  const dispose = () => {
    link.disposed = true;
    return (client as Stock & { dispose(): unknown }).dispose();
  };
  return { ...client, subscribe, iterate, dispose } as unknown as ReturnType<Create>;
}
