import { expect, test } from 'vitest';
import type { Provider, ProviderCallPurpose, ProviderClient } from '../../src/domain/ports.ts';
import { ProviderRegistry } from '../../src/domain/providers.ts';

/** A provider whose clients are told apart by their name and purpose. */
const named = (name: string) =>
  ({ name, calls: (purpose: ProviderCallPurpose) => `${name} ${purpose}` }) as unknown as Provider;
const [FIRST, SECOND] = [named('first'), named('second')];

test('new sessions start at the first provider of the list', () => {
  const providers = new ProviderRegistry([FIRST, SECOND]);
  expect(providers.current).toBe(FIRST);
  expect(providers.clients('MUTATION').current).toBe('first');
  expect([...providers]).toEqual([FIRST, SECOND]);
});

test('a provider is found by the name that is stored with a session, and null if none has that name', () => {
  const providers = new ProviderRegistry([FIRST, SECOND]);
  expect(providers.find('second')).toBe(SECOND);
  expect(providers.find('third')).toBeNull();
});

test('clients returns the client of each provider for the purpose, and a failure UNAVAILABLE for a provider that is not configured', () => {
  const clients = new ProviderRegistry([FIRST, SECOND]).clients('POLL');
  expect(clients.get('second') as ProviderClient | string).toBe('second POLL');
  expect(() => clients.get('third')).toThrow(
    expect.objectContaining({
      kind: 'UNAVAILABLE',
      message: 'The provider "third" is not configured at this gateway.',
    }),
  );
});

test('two providers of one name are refused', () => {
  expect(() => new ProviderRegistry([FIRST, named('first')])).toThrow('each provider needs its own name');
});
