import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { parse, validate } from 'graphql';
import { expect, test } from 'vitest';
import { getSchema } from '../../src/graphql/schema.ts';
import { createTrustedDocumentPolicy, parseDocumentManifest } from '../../src/graphql/trusted-documents.ts';
import { bootGateway } from '../harness/gateway.ts';
import { TRANSPORTS } from '../harness/transports.ts';

const MANIFEST: Record<string, string> = JSON.parse(
  await readFile(new URL('../../schema/trusted-documents.json', import.meta.url), 'utf8'),
);
const [hash, document] = Object.entries(MANIFEST).find(([, text]) => text.startsWith('query VkycFloor(')) as [
  string,
  string,
];
const variables = { first: 1 };

test('the manifest of trusted documents lists valid operations by their SHA-256 hashes', () => {
  for (const [name, text] of Object.entries(MANIFEST)) {
    expect(createHash('sha256').update(text).digest('hex')).toBe(name);
    expect(validate(getSchema(), parse(text))).toEqual([]);
  }
});

test('parseDocumentManifest reads plain hash-to-text manifests, hashes with the prefix sha256:, and Apollo manifests', () => {
  const text = '{ viewer { id } }';
  for (const stored of [
    { abc: text },
    { 'sha256:abc': text },
    {
      format: 'apollo-persisted-query-manifest',
      version: 1,
      operations: [{ id: 'abc', name: 'Viewer', type: 'query', body: text }],
    },
  ])
    expect(
      createTrustedDocumentPolicy(parseDocumentManifest(stored))({ documentId: 'sha256:abc' }),
    ).toMatchObject({
      query: text,
    });
});

for (const [transport, send] of Object.entries(TRANSPORTS)) {
  test(`${transport}: with TRUSTED_DOCUMENTS=only, only documents of the manifest are executed, by hash or exact text`, async () => {
    const gateway = await bootGateway({ environment: { TRUSTED_DOCUMENTS: 'only' } });
    const persistedQuery = { version: 1, sha256Hash: hash };
    const other = '{ viewer { id } }';

    for (const request of [
      { query: document },
      { query: '', documentId: hash },
      { query: '', documentId: `sha256:${hash}` },
      { query: '', extensions: { persistedQuery } },
      { query: document, extensions: { persistedQuery } },
    ])
      expect((await send(gateway, { ...request, variables })).data.sessions.nodes).toEqual([]);
    for (const request of [
      { query: other },
      { query: `${document} ` },
      { query: '', documentId: 'constructor' },
      { query: '' },
      { query: other, documentId: hash },
      { query: other, extensions: { persistedQuery } },
      {
        query: other,
        extensions: {
          persistedQuery: { version: 1, sha256Hash: createHash('sha256').update(other).digest('hex') },
        },
      },
    ])
      expect((await send(gateway, { ...request, variables })).errors).toMatchObject([
        {
          message: expect.stringContaining('Only trusted documents are served'),
          extensions: { code: 'UNTRUSTED_DOCUMENT' },
        },
      ]);
  });
}

test.each(['/graphql', '/graphql/stream'])(
  '%s: only documents of the manifest are executed by GET',
  async (path) => {
    const gateway = await bootGateway({ environment: { TRUSTED_DOCUMENTS: 'only' } });
    const get = async (search: Record<string, string>) => {
      const url = new URL(path, gateway.url);
      for (const [name, value] of Object.entries({ ...search, variables: JSON.stringify(variables) }))
        url.searchParams.set(name, value);
      return (await fetch(url)).text();
    };
    const extensions = JSON.stringify({ persistedQuery: { version: 1, sha256Hash: hash } });

    for (const search of [{ query: document }, { documentId: hash }, { extensions }] as Record<
      string,
      string
    >[])
      expect(await get(search)).toContain('"nodes":[]');
    expect(await get({ query: '{ viewer { id } }' })).toContain('UNTRUSTED_DOCUMENT');
    expect(await get({ query: '{ viewer { id } }', documentId: hash })).toContain('UNTRUSTED_DOCUMENT');
  },
);
