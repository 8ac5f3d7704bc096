/**
 * Sends the same credentials over HTTP, server-sent events and WebSocket, and collects each transport's
 * response.
 */
import { once } from 'node:events';
import { request } from 'node:http';
import { WebSocket } from 'ws';
import type { Gateway } from './gateway.ts';
import type { Transport } from './transports.ts';

/** Credentials of a request. Undefined properties are not sent. */
export interface Way {
  /** Headers of the request. An array is sent as several headers of the same name. */
  readonly headers?: Record<string, string | string[]>;
  readonly search?: string;
  /** The payload of a WebSocket's `connection_init`. */
  readonly params?: unknown;
}

export interface Arrival {
  /**
   * Answer for each transport: the id of the viewer if the sign-in succeeded; otherwise the HTTP status or close code,
   * with the error code if there is one.
   */
  readonly answers: Record<Transport, string>;
  /** All text received, over all transports. */
  readonly said: string;
}

export const UNAUTHENTICATED: Arrival['answers'] = {
  HTTP: '401 UNAUTHENTICATED',
  SSE: '401 UNAUTHENTICATED',
  WebSocket: '4403',
};
export const FORBIDDEN: Arrival['answers'] = {
  HTTP: '200 FORBIDDEN',
  SSE: '200 FORBIDDEN',
  WebSocket: 'FORBIDDEN',
};

/**
 * Returns credentials with this Authorization: a header for HTTP and SSE, the payload of `connection_init` for a
 * WebSocket.
 */
export const withAuthorization = (authorization: string): Way => ({
  headers: { authorization },
  params: { authorization },
});

const WHO = { query: '{ viewer { id } }' };

/** Queries the viewer over every transport with these credentials. */
export async function arrive(gateway: Gateway, way: Way): Promise<Arrival> {
  const [http, sse, webSocket] = await Promise.all([
    post(gateway, '/graphql', way),
    post(gateway, '/graphql/stream', way),
    connect(gateway, way),
  ]);
  return {
    answers: { HTTP: http.answer, SSE: sse.answer, WebSocket: webSocket.answer },
    said: [http, sse, webSocket].map(({ said }) => said).join('\n'),
  };
}

async function post(gateway: Gateway, path: string, { headers = {}, search = '' }: Way) {
  const asking = request(`${gateway.url}${path}${search}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
  });
  asking.end(JSON.stringify(WHO));
  const [response] = await once(asking, 'response');
  let text = '';
  for await (const bytes of response) text += bytes;
  const { data, errors } = JSON.parse(text.match(/^event: next\ndata: (.*)$/m)?.[1] ?? text);
  const said = `${JSON.stringify(response.rawHeaders)}\n${text}`;
  return { answer: data?.viewer.id ?? `${response.statusCode} ${errors[0].extensions.code}`, said };
}

async function connect(gateway: Gateway, { headers = {}, search = '', params }: Way) {
  const url = `${gateway.url.replace('http', 'ws')}/graphql${search}`;
  const socket = new WebSocket(url, 'graphql-transport-ws', { headers: headers as Record<string, string> });
  const heard: string[] = [];
  socket.on('message', (data) => heard.push(String(data)));
  const turnedAway = once(socket, 'unexpected-response').then(async ([, response]) => {
    for await (const bytes of response) heard.push(String(bytes));
    return String(response.statusCode);
  });
  const closed = once(socket, 'close').then(([code, reason]) => {
    heard.push(String(reason));
    return String(code);
  });
  const answered = async () => {
    await once(socket, 'open');
    socket.send(JSON.stringify({ type: 'connection_init', payload: params }));
    await once(socket, 'message');
    socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: WHO }));
    const [data] = await once(socket, 'message');
    const { payload } = JSON.parse(String(data));
    return payload.data?.viewer.id ?? (payload[0] ?? payload.errors[0]).extensions.code;
  };
  const answer: string = await Promise.race([turnedAway, answered(), closed]);
  socket.on('error', () => {}).terminate();
  return { answer, said: heard.join('\n') };
}
