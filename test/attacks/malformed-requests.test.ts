/** Malformed and unfinished HTTP requests are refused or time out without effect, while other clients are served. */
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { bootGateway } from '../harness/gateway.ts';
import { type RawPeer, rawPeer } from '../harness/raw-peer.ts';
import { isClean } from '../harness/transports.ts';
import { tallyOf } from './tally.ts';

const gateway = await bootGateway({ environment: { REQUEST_SECONDS: '2' } });
const { host } = new URL(gateway.url);
const PATHS = ['/graphql', '/graphql/stream'];
const MUTATION = JSON.stringify({
  query:
    'mutation { startSession(input: { verificationId: "attack", user: { phone: "9988776655" } }) { __typename } }',
});
const LENGTH = `Content-Length: ${MUTATION.length}`;
const CHUNKED = 'Transfer-Encoding: chunked';
const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;
const CHUNKS = `${chunk(MUTATION)}0\r\n\r\n`;

/** Returns a POST request that is well formed except for the given headers and body. */
const post =
  (headers: string[], body: string | Buffer = '') =>
  (path: string) => [
    `POST ${path} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\n${headers.join('\r\n')}\r\n\r\n`,
    body,
  ];
const headed = (...headers: string[]) => post([...headers, LENGTH], MUTATION);
const bodied = (body: string | Buffer, ...headers: string[]) =>
  post([...headers, `Content-Length: ${Buffer.byteLength(body)}`], body);
const first = (line: (path: string) => string) => (path: string) => [
  `${line(path)}\r\nHost: ${host}\r\nContent-Type: application/json\r\n${LENGTH}\r\n\r\n`,
  MUTATION,
];
const bytes = (text: string) => () => [text];

type Attack = [sent: (path: string) => (string | Buffer)[], statuses: readonly number[]];
const BAD = [400];
const LARGE_HEAD = [431];

/** Malformed requests, each with the allowed statuses of its refusal (two if releases of Node.js differ). */
const REFUSED: Record<string, Attack> = {
  'a body longer than its Content-Length': [post(['Content-Length: 10'], MUTATION), BAD],
  'two Content-Length headers': [headed('Content-Length: 10'), BAD],
  'a Content-Length that is a list': [post([`${LENGTH}, ${MUTATION.length}`], MUTATION), BAD],
  'a negative Content-Length': [post(['Content-Length: -1'], MUTATION), BAD],
  'a Content-Length with a plus sign': [post([`Content-Length: +${MUTATION.length}`], MUTATION), BAD],
  'a hexadecimal Content-Length': [post(['Content-Length: 0x10'], MUTATION), BAD],
  'a Content-Length that overflows': [post(['Content-Length: 99999999999999999999999'], MUTATION), BAD],
  'a Content-Length of a gigabyte': [post(['Content-Length: 1000000000'], MUTATION), [413]],
  'Content-Length and chunked encoding (smuggling)': [post([LENGTH, CHUNKED], CHUNKS), BAD],
  'chunked encoding and Content-Length (smuggling)': [post([CHUNKED, LENGTH], CHUNKS), BAD],
  'chunked that is not the last transfer coding': [post(['Transfer-Encoding: chunked, gzip'], CHUNKS), BAD],
  'an unknown transfer coding': [post(['Transfer-Encoding: xchunked'], CHUNKS), BAD],
  'Transfer-Encoding with a space before its colon': [post(['Transfer-Encoding : chunked'], CHUNKS), BAD],
  'a chunk size that is not a number': [post([CHUNKED], `xyz\r\n${MUTATION}\r\n0\r\n\r\n`), BAD],
  'a chunk size that overflows': [post([CHUNKED], `${'f'.repeat(20)}\r\n${MUTATION}`), BAD],
  'a chunk longer than its size': [post([CHUNKED], `5\r\n${MUTATION}\r\n0\r\n\r\n`), BAD],
  'a chunk with an endless extension': [post([CHUNKED], `5;${'x'.repeat(20_000)}\r\n`), [400, 413]],
  'endless trailers': [
    post([CHUNKED], `${chunk(MUTATION)}0\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`),
    LARGE_HEAD,
  ],
  'a giant header': [headed(`X-Giant: ${'x'.repeat(20_000)}`), LARGE_HEAD],
  'a giant header name': [headed(`${'x'.repeat(20_000)}: x`), LARGE_HEAD],
  'two thousand headers': [
    headed(...Array.from({ length: 2_000 }, (_, n) => `X-Header-${n}: x`)),
    LARGE_HEAD,
  ],
  'a giant token': [headed(`Authorization: Bearer ${'x'.repeat(20_000)}`), LARGE_HEAD],
  'a giant URL': [first((path) => `POST ${path}?${'x'.repeat(20_000)} HTTP/1.1`), LARGE_HEAD],
  'a header without a colon': [headed('X-Header'), BAD],
  'a header with a null byte': [headed('X-Header: a\0b'), BAD],
  'a header with a bare line end': [headed('X-Header: a\nX-Other: b'), BAD],
  'a header with a bare carriage return': [headed('X-Header: a\rX-Other: b'), BAD],
  'a header without a name': [headed(': x'), BAD],
  'a header with a space before its colon': [headed('X-Header : x'), BAD],
  'a request without a Host header': [
    (path) => [`POST ${path} HTTP/1.1\r\n${LENGTH}\r\n\r\n`, MUTATION],
    BAD,
  ],
  'an empty Host header': [
    (path) => [`POST ${path} HTTP/1.1\r\nHost:\r\n${LENGTH}\r\n\r\n`, MUTATION],
    [403],
  ],
  'an unknown method': [first((path) => `ATTACK ${path} HTTP/1.1`), BAD],
  'a method in lower case': [first((path) => `post ${path} HTTP/1.1`), BAD],
  'an unknown HTTP version': [first((path) => `POST ${path} HTTP/9.9`), BAD],
  'a URL with a space': [first((path) => `POST ${path} x HTTP/1.1`), BAD],
  'a URL with invalid percent-encoding': [first((path) => `POST ${path}/%zz HTTP/1.1`), [400]],
  'a path above the root': [first((path) => `POST /..${path} HTTP/1.1`), [404]],
  'an unknown expectation': [headed('Expect: everything'), [417]],
  'a TLS handshake': [bytes('\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03'), BAD],
  'garbage bytes': [() => [Buffer.alloc(1_000, 255)], BAD],
  'a body that is not UTF-8': [bodied(Buffer.from([0x7b, 0x22, 0xc3, 0x28])), BAD],
  'a body that pollutes prototypes by __proto__': [
    bodied('{"__proto__": {"query": "{ viewer { id } }"}}'),
    BAD,
  ],
  'a body that pollutes prototypes by constructor': [
    bodied('{"constructor": {"prototype": {"query": "{ viewer { id } }"}}}'),
    BAD,
  ],
  'a deeply nested body': [bodied('['.repeat(250_000)), BAD],
  'a compressed body that is huge when unpacked': [
    bodied(gzipSync(Buffer.alloc(1e6)), 'Content-Encoding: gzip'),
    BAD,
  ],
  'a request without a body': [bodied(''), BAD],
};

/**
 * Unfinished requests. Each is sent over two connections: one peer then waits for the timeout, the other closes its end
 * of the connection.
 */
const UNFINISHED: Record<string, Attack[0]> = {
  'no bytes': () => [],
  'half a line': bytes('POST /gra'),
  'half a head': (path) => [`POST ${path} HTTP/1.1\r\nHost: ${host}\r\n`],
  'half a body': post([`Content-Length: ${MUTATION.length * 2}`], MUTATION),
  'a body without its last byte': post([`Content-Length: ${MUTATION.length + 1}`], MUTATION),
  'half a chunk': post([CHUNKED], chunk(MUTATION).slice(0, 20)),
  'chunks without the last chunk': post([CHUNKED], chunk(MUTATION)),
  'no body after Expect: 100-continue': post(['Expect: 100-continue', LENGTH]),
};

const tally = tallyOf('malformed requests');

async function sent(path: string, make: Attack[0]): Promise<RawPeer> {
  const peer = await rawPeer(gateway.url);
  for (const part of make(path)) peer.send(part);
  return peer;
}

const statusesOf = (heard: string) =>
  [...heard.matchAll(/HTTP\/1\.1 (\d{3})/g)]
    .map(([, status]) => Number(status))
    .filter((status) => status !== 100);

/** Asserts that another client is served; returns true if the mutation within the attack was not executed. */
async function isInVain(): Promise<boolean> {
  expect((await gateway.graphql('{ viewer { id } }')).data.viewer.id).toBe('developer');
  const { rows } = await gateway.database.query(`select from start_intent where verification_id = 'attack'`);
  return rows.length === 0;
}

for (const path of PATHS) {
  test.each(Object.entries(REFUSED))(
    `${path}: a malformed HTTP request is refused and has no effect: %s`,
    async (name, [make, statuses]) => {
      const peer = await sent(path, make);
      await peer.hears('HTTP/1.1 ');
      peer.socket.end();
      const heard = await peer.ended;

      tally.note(`${path}: ${name}`, !(await isInVain()));
      const answers = statusesOf(heard);
      expect(statuses).toContain(answers[0]);
      // There may be several answers: bytes after a refused request may be parsed as another request.
      expect(answers.every((status) => status >= 400)).toBe(true);
      expect(isClean(heard)).toBe(true);
    },
  );
}

test('an unfinished HTTP request times out with 408, or ends when its peer closes the connection', async () => {
  const attempts = PATHS.flatMap((path) =>
    Object.entries(UNFINISHED).map(async ([name, make]) => {
      const [waiting, ending] = [await sent(path, make), await sent(path, make)];
      ending.socket.end();
      const [late, cutShort] = [statusesOf(await waiting.ended), statusesOf(await ending.ended)];

      tally.note(`${path}: ${name}`, !(await isInVain()));
      expect(late, name).toEqual([408]);
      expect(cutShort.every((status) => status === 400)).toBe(true);
    }),
  );
  await Promise.all(attempts);
});

test('no malformed request of the tests above was logged as an internal error', () => {
  expect(gateway.logs.filter((line) => line.includes('"level":50'))).toEqual([]);
});

tally.close(PATHS.length * (Object.keys(REFUSED).length + Object.keys(UNFINISHED).length));
