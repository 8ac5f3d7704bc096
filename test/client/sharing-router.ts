/**
 * Faulty GraphQL router between clients and the gateway. Clients with equal subscriptions share one subscription at the
 * gateway, which the router may reopen with the same variables. Slow clients lose the oldest frames of a bounded
 * buffer. Frames come twice, late, in bursts, and without `extensions`.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { type ExecutionResult, type FormattedExecutionResult, parse } from 'graphql';
import { createHandler } from 'graphql-sse/lib/use/http';
import { createClient } from 'graphql-ws';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocket, WebSocketServer } from 'ws';
import { getSchema } from '../../src/graphql/schema.ts';
import type { SeededRandom } from '../../src/sandbox/seeded-random.ts';
import { atTheEnd } from '../harness/gateway.ts';

/** Maximum number of buffered frames per client. */
const MAX_BUFFERED = 4;

type Faults = 'joined' | 'reopened' | 'dropped' | 'repeated' | 'ended';

export interface SharingRouter {
  /** Host and port for clients, without a scheme. */
  readonly host: string;
  readonly count: Record<Faults, number>;
  /** Stops all faults: from then on, each frame is passed on once. */
  calmDown(): void;
}

type Frame = FormattedExecutionResult | 'END';

interface Reader {
  readonly frames: Frame[];
  readonly passedOn: FormattedExecutionResult[];
  wake: () => void;
}

interface Upstream {
  readonly readers: Set<Reader>;
  stop: () => void;
}

interface Request {
  readonly query: string;
  readonly variables: Record<string, unknown>;
}

/** Starts a faulty router in front of a gateway, until the test ends. */
export async function startSharingRouter(gatewayUrl: string, random: SeededRandom): Promise<SharingRouter> {
  const gateway = createClient({
    url: `${gatewayUrl.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
  });
  const upstreams = new Map<string, Upstream>();
  const count: Record<Faults, number> = { joined: 0, reopened: 0, dropped: 0, repeated: 0, ended: 0 };
  let isCalm = false;
  const goesWrong = (probability: number) => !isCalm && random.chance(probability);

  function open(request: Request, upstream: Upstream): void {
    let current = true;
    const stop = gateway.subscribe(request, {
      next: ({ data, errors }) => {
        if (!current) return;
        for (const reader of upstream.readers)
          push(reader, { data: data as never, ...(errors ? { errors } : {}) });
        if (!goesWrong(0.02)) return;
        count.reopened += 1;
        upstream.stop();
        open(request, upstream);
      },
      error: () => end(upstream),
      complete: () => current && end(upstream),
    });
    upstream.stop = () => {
      current = false;
      stop();
    };
  }

  function end({ readers }: Upstream): void {
    for (const reader of readers) push(reader, 'END');
  }

  function push(reader: Reader, frame: Frame): void {
    reader.frames.push(frame);
    if (reader.frames.length > MAX_BUFFERED && frame !== 'END' && !isCalm) {
      reader.frames.shift();
      count.dropped += 1;
    }
    reader.wake();
  }

  async function* play(request: Request): AsyncGenerator<FormattedExecutionResult> {
    const key = JSON.stringify(request);
    const upstream = upstreams.get(key) ?? { readers: new Set(), stop: () => {} };
    const reader: Reader = { frames: [], passedOn: [], wake: () => {} };
    upstream.readers.add(reader);
    if (upstreams.has(key)) count.joined += 1;
    else open(request, upstream);
    upstreams.set(key, upstream);
    try {
      for (;;) {
        const frame = reader.frames.shift();
        if (frame === 'END') return;
        if (frame === undefined) {
          await new Promise<void>((resolve) => {
            reader.wake = resolve;
          });
          // Simulates a slow client: during this pause frames overflow its buffer, which drops the oldest frames.
          for (let turns = goesWrong(0.1) ? 200 : 0; turns > 0; turns -= 1) await turn();
          continue;
        }
        yield frame;
        reader.passedOn.push(frame);
        if (goesWrong(0.05)) {
          count.repeated += 1;
          yield* reader.passedOn.slice(-random.integer(1, 5));
        }
        if (goesWrong(0.01)) {
          count.ended += 1;
          return;
        }
      }
    } finally {
      upstream.readers.delete(reader);
      if (upstream.readers.size === 0) {
        upstreams.delete(key);
        upstream.stop();
      }
    }
  }

  const sse = createHandler({
    schema: getSchema(),
    onSubscribe: (_request, { query, variables }) =>
      play({ query, variables: variables ?? {} }) as AsyncGenerator<ExecutionResult>,
  });
  const http = createServer(
    (request, response) => void sse(request, response).catch(() => response.destroy()),
  );
  const sockets = new WebSocketServer({ server: http });
  const served = useServer(
    {
      onSubscribe: (_connected, _id, { query, variables }) => ({
        schema: getSchema(),
        document: parse(query),
        contextValue: { query, variables: variables ?? {} },
      }),
      subscribe: ({ contextValue }) => play(contextValue as Request) as AsyncGenerator<ExecutionResult>,
      onNext: (_connected, _id, _payload, _args, result) => result as FormattedExecutionResult,
    },
    sockets,
  );
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  atTheEnd(async () => {
    for (const upstream of upstreams.values()) end(upstream);
    await gateway.dispose();
    await served.dispose();
    http.closeAllConnections();
    http.close();
    await once(http, 'close');
  });
  return {
    host: `127.0.0.1:${(http.address() as AddressInfo).port}`,
    count,
    calmDown() {
      isCalm = true;
    },
  };
}
