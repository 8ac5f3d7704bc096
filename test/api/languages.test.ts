/** Stories of languages: a customer is given to somebody who speaks one of theirs. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { expectSound, report, settled, staffOf, twoGateways } from '../harness/acting.ts';
import { emptyFolder, endedLongAgo, run } from '../harness/archives.ts';
import { bootGateway, type Gateway } from '../harness/gateway.ts';
import { person } from '../harness/people.ts';
import { seedQueue } from '../harness/queue.ts';

const spoken = async (gateway: Gateway, id: string) =>
  (await gateway.graphql('query ($id: ID!) { session(id: $id) { languages } }', { id })).data.session
    .languages;

/** Starts a session with these languages whose call has ended, so that it waits for an agent. */
async function queued(gateway: Gateway, verificationId: string, ...languages: string[]): Promise<void> {
  await gateway.start(verificationId, languages.length > 0 ? { languages } : {});
  await report(gateway, verificationId, 'AGENT_ENDED_CALL');
  await settled(gateway);
}

describe('startSession', () => {
  test('keeps the languages of the customer in their canonical form, each once; without any, the list is empty', async () => {
    const gateway = await bootGateway();
    const languages = ['HI-in', 'ta', 'hi-IN', 'en-Latn-IN-u-nu-latn'];
    const { id } = await gateway.start('spoken.1', { languages });
    const silent = await gateway.start('spoken.2');
    const customer = await person(gateway, 'asha', 'CUSTOMER', ['spoken.1']);

    expect(await spoken(gateway, id)).toEqual(['hi-IN', 'ta', 'en-Latn-IN']);
    expect(await spoken(gateway, silent.id)).toEqual([]);
    expect(await customer.query('{ result: sessions(first: 9) { nodes { languages } } }')).toEqual({
      nodes: [{ languages: ['hi-IN', 'ta', 'en-Latn-IN'] }],
    });
    expect(await gateway.start('spoken.1', { languages: ['hi-IN', 'ta', 'en-Latn-IN'] })).toMatchObject({
      id,
    });
    expect(await gateway.start('spoken.2', { languages: [] })).toMatchObject({ id: silent.id });
  });

  test('a text that is no language tag, or a sixth language, is refused under its path', async () => {
    const gateway = await bootGateway();
    const { olga } = await staffOf(gateway);
    const startWith = (languages: string[]) =>
      olga.start({ verificationId: 'refused.1', user: { phone: '9988776655' }, languages });
    const message = 'must be a BCP 47 language tag, such as hi or en-IN';
    for (const tag of ['hindi', 'हिन्दी', '', 'und', 'x-private', 'hi_IN', `hi-${'x'.repeat(40)}`])
      expect((await startWith(['ta', tag])).problems, tag).toEqual([{ path: ['languages', '1'], message }]);
    expect((await startWith(['hi', 'ta', 'te', 'kn', 'ml', 'mr'])).problems).toEqual([
      { path: ['languages'], message: 'must have at most 5 entries' },
    ]);
  });
});

describe('claimNext', () => {
  test('gives the oldest session whose customer speaks one of the languages, or that states none', async () => {
    const gateway = await bootGateway();
    await queued(gateway, 'tamil.1', 'ta');
    await queued(gateway, 'hindi.1', 'en', 'hi-IN');
    await queued(gateway, 'any.1');
    await queued(gateway, 'hindi.2', 'hi');
    const { ravi } = await staffOf(gateway);
    const [meera, sita, dev] = (await Promise.all(
      ['meera', 'sita', 'dev'].map((sub) => person(gateway, sub, 'AGENT')),
    )) as any;
    const claim = async (who: any, ...languages: string[]) =>
      (await who.claim('AGENT', undefined, languages)).session?.verificationId ?? 'QueueEmpty';

    expect(await claim(ravi, 'hi', 'mr')).toBe('hindi.1');
    expect(await claim(meera, 'te')).toBe('any.1');
    expect(await claim(sita, 'te')).toBe('QueueEmpty');
    expect(await claim(sita, 'hi-Deva')).toBe('hindi.2');
    expect(await claim(dev)).toBe('tamil.1');
    // Ravi gets his own session again, whatever languages he names.
    expect(await claim(ravi, 'ta')).toBe('hindi.1');
    expect((await sita.claim('AGENT', undefined, ['tamil'])).problems).toEqual([
      { path: ['languages', '0'], message: 'must be a BCP 47 language tag, such as hi or en-IN' },
    ]);
    await expectSound(gateway);
  });

  test('20 agents who ask two replicas at once get 20 different sessions in their languages, those that have waited longest', async () => {
    const [one, two] = await twoGateways();
    await seedQueue(one.database, 90, 1_000);
    // Of three sessions, one speaks Hindi, one Tamil, and one states no language.
    await one.database.query(
      `update vkyc_session set languages = (array['hi-IN en', 'ta', null])[1 + substr(verification_id, 6)::int % 3]`,
    );
    const agents = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => ({
        language: index % 2 ? 'hi' : 'ta',
        who: await person(index % 4 < 2 ? one : two, `agent ${index}`, 'AGENT'),
      })),
    );

    const claims = await Promise.all(
      agents.map(async ({ who, language }) => ({
        language,
        number: Number(
          (await who.claim('AGENT', undefined, [language])).session.verificationId.split('.')[1],
        ),
      })),
    );

    expect(new Set(claims.map(({ number }) => number)).size).toBe(20);
    for (const { language, number } of claims)
      expect(number % 3 === 2 || (language === 'hi' ? number % 3 === 0 : number % 3 === 1)).toBe(true);
    // Calls at the same time may pass each other by a few places.
    expect(Math.max(...claims.map(({ number }) => number))).toBeLessThanOrEqual(45);
  });

  test('the same key with other languages is another call, and is refused', async () => {
    const gateway = await bootGateway();
    await queued(gateway, 'any.1');
    const { ravi } = await staffOf(gateway);
    expect((await ravi.claim('AGENT', 'key', ['hi'])).replayed).toBe(false);
    expect((await ravi.claim('AGENT', 'key', ['HI'])).replayed).toBe(true);
    expect(await ravi.claim('AGENT', 'key', ['ta'])).toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
  });
});

test('erasing a person erases their languages, and an archive keeps those of a session', {
  timeout: 60_000,
}, async () => {
  const gateway = await bootGateway();
  const [erased, archived] = [await endedLongAgo(gateway, 'ended.1'), await endedLongAgo(gateway, 'ended.2')];
  for (const table of ['vkyc_session', 'start_intent'])
    await gateway.database.query(`update ${table} set languages = 'hi-IN brx'`);

  await run(gateway, 'erase', '--user', 'u-ended.1', '--by', 'the officer');

  expect(await spoken(gateway, erased.id)).toEqual([]);
  expect(await spoken(gateway, archived.id)).toEqual(['hi-IN', 'brx']);
  const { rows } = await gateway.database.query(
    `select verification_id from start_intent where languages is not null`,
  );
  expect(rows).toEqual([{ verification_id: 'ended.2' }]);
  await expectSound(gateway);

  const folder = await emptyFolder();
  await gateway.start('newest');
  await run(gateway, 'retention', '--to', folder);
  const [file = ''] = await readdir(folder);
  const lines = gunzipSync(await readFile(join(folder, file))).toString();
  expect(lines).toContain('"languages":"hi-IN brx"');
  expect(
    (await gateway.database.query('select from vkyc_session where languages is not null')).rowCount,
  ).toBe(0);
});
