/** Tests that the schema gate reports breaking changes of the schema and accepts harmless ones. */
import { readFile } from 'node:fs/promises';
import { parse, print, visit } from 'graphql';
import { expect, test } from 'vitest';
import { checkAgainstLastRelease, type SchemaCheckInput } from '../../src/gate/schema-gate.ts';

const read = (name: string) => readFile(new URL(`../../schema/${name}`, import.meta.url), 'utf8');
/**
 * The present schema, used as the released one. Its descriptions are removed, so that the tests can insert a
 * field before another by text replacement.
 */
const sdl = print(
  visit(parse(await read('schema.graphql')), {
    enter: (node) => ('description' in node ? { ...node, description: undefined } : undefined),
  }),
);
const operations = await read('operations.graphql');
const behaviour = JSON.parse(await read('released-behaviour.json'));
const TODAY = new Date('2027-01-15T10:00:00Z');
const UNTOUCHED: SchemaCheckInput = {
  released: { sdl, behaviour },
  present: { sdl, behaviour },
  operations,
  changelog: '# Changes\n\n## Unreleased\n',
  today: TODAY,
};

/** Returns the SDL with a text replaced, which must occur in it exactly once. */
function edited(from: string | RegExp, to: string, text = sdl): string {
  expect(text.split(from), `${from} does not occur exactly once in the SDL`).toHaveLength(2);
  return text.replace(from, to);
}
const typeOf = (name: string) =>
  new RegExp(`(?<=\\n(?:type|enum|input) ${name} (?:implements \\w+ )?\\{\\n)`);
const withField = (type: string, field: string, text = sdl) => edited(typeOf(type), `  ${field}\n`, text);

const failuresOf = async (change: Partial<SchemaCheckInput>) =>
  (await checkAgainstLastRelease({ ...UNTOUCHED, ...change })).filter(({ fails }) => fails);
const present = (text: string) => ({ present: { sdl: text, behaviour } });
const announcing = (coordinate: string) =>
  `# Changes\n\n## Unreleased\n\n- \`${coordinate}\`: it is needed.\n`;

test('the schema gate reports nothing about an unchanged schema', async () => {
  expect(await checkAgainstLastRelease(UNTOUCHED)).toEqual([]);
});

test.each([
  ['a field is removed', edited('  disputed: Boolean!\n', ''), 'VkycSession.disputed'],
  ['a type is changed', edited('  total: Int!', '  total: String!'), 'SessionStats.total'],
  ['a field becomes nullable', edited('  total: Int!', '  total: Int'), 'SessionStats.total'],
  [
    'a required argument is added',
    edited('refreshSession(', 'refreshSession(why: String!, '),
    'Mutation.refreshSession.why',
  ],
  [
    'an optional argument is made required',
    edited(/filter: MeetingFilter\b(?!!)/, 'filter: MeetingFilter!'),
    'Query.meetings.filter',
  ],
  [
    'a required input field is added',
    withField('CancelMeetingInput', 'why: String!'),
    'CancelMeetingInput.why',
  ],
  ['an enum value is removed', edited(/\n {2}WHATSAPP\n/, '\n  LETTER\n'), 'NotificationType.WHATSAPP'],
  [
    'a union member is removed',
    edited(
      'union FeedFrame = StatusTransition | Heartbeat | FeedReset',
      'union FeedFrame = StatusTransition | Heartbeat',
    ),
    'FeedFrame.FeedReset',
  ],
])(
  'if %s, the schema gate reports the change even if the changelog announces it',
  async (_what, text, coordinate) => {
    const failures = await failuresOf({ ...present(text), changelog: announcing(coordinate) });

    expect(failures.map((failure) => failure.coordinate)).toContain(coordinate);
    for (const { what, whom, todo } of failures)
      for (const said of [what, whom, todo]) expect(said).not.toBe('');
  },
);

test.each([
  ['an enum value is added', withField('NotificationType', 'LETTER'), 'NotificationType.LETTER'],
  [
    'a union member is added',
    edited(
      '= StatusTransition | Heartbeat | FeedReset',
      '= StatusTransition | Heartbeat | FeedReset | SessionSnapshot',
    ),
    'FeedFrame.SessionSnapshot',
  ],
  [
    'an argument with a default is added',
    edited('refreshSession(', 'refreshSession(fast: Boolean = true, '),
    'Mutation.refreshSession.fast',
  ],
])(
  'if %s, the schema gate reports the change unless the changelog announces it',
  async (_what, text, coordinate) => {
    expect(await failuresOf(present(text))).toMatchObject([
      { coordinate, todo: expect.stringContaining(`\`${coordinate}\``) },
    ]);

    const of = (changelog: string) => failuresOf({ ...present(text), changelog });
    expect(await of(announcing(coordinate))).toEqual([]);
    expect(await of(announcing(`${coordinate}S`))).toHaveLength(1);
    // An announcement in the section of an earlier release does not count.
    expect(await of(announcing(coordinate).replace('Unreleased', 'Unreleased\n\n## 0.1.0'))).toHaveLength(1);
  },
);

test('compatible additions pass the schema gate without an announcement in the changelog', async () => {
  const more = withField('VkycSession', 'colour: String', withField('CancelMeetingInput', 'colour: String'));

  expect(
    await checkAgainstLastRelease({ ...UNTOUCHED, ...present(`${more}\ntype Colour { name: String! }\n`) }),
  ).toEqual([]);
});

const deprecated = (reason: string, text = sdl) =>
  withField('VkycSession', `colour: String @deprecated(reason: "${reason}")`, text);

test.each([
  ['without a removal date', 'Use name.', 'no removal date'],
  ['with a removal date that does not exist', 'Use name. Removal: 2027-02-30.', 'no removal date'],
  ['with a removal date that has passed', 'Use name. Removal: 2027-01-14.', 'less than 90 days'],
  ['with less than 90 days until its removal date', 'Use name. Removal: 2027-04-14.', 'less than 90 days'],
])('the schema gate reports a deprecation %s', async (_what, reason, what) => {
  expect(await failuresOf(present(deprecated(reason)))).toMatchObject([
    { coordinate: 'VkycSession.colour', what: expect.stringContaining(what) },
  ]);
});

test('a deprecation with 90 days of notice passes; once it is released, its removal date cannot become earlier, and from that date on the field may be removed', async () => {
  const noticed = deprecated('Use name. Removal: 2027-04-15.');
  const from = (releasedSdl: string, presentSdl: string, day: string) =>
    failuresOf({
      released: { sdl: releasedSdl, behaviour },
      present: { sdl: presentSdl, behaviour },
      today: new Date(day),
    });

  expect(await from(sdl, noticed, '2027-01-15')).toEqual([]);
  expect(await from(noticed, deprecated('Use name. Removal: 2027-04-14.'), '2027-02-01')).toMatchObject([
    { what: expect.stringContaining('moved from') },
  ]);
  expect(await from(noticed, sdl, '2027-04-14')).toMatchObject([
    { coordinate: 'VkycSession.colour', todo: expect.stringContaining('2027-04-15') },
  ]);
  expect(await from(noticed, noticed, '2027-05-01')).toEqual([]);
  expect(await from(noticed, sdl, '2027-04-15')).toEqual([]);
});

const CALL_ENDED = 'VIDEO_CALL/AGENT_ENDED_CALL';
const withState = (name: string, text: string) => ({
  ...behaviour,
  states: { ...behaviour.states, [name]: text },
});
const without = ({ [CALL_ENDED]: _gone, ...others }: Record<string, string>) => others;
const APPROVAL = `${CALL_ENDED} -> AGENT_REVIEWED/AGENT_APPROVED`;

test.each([
  ['the meaning of a state changes', withState(CALL_ENDED, 'Nothing to do.'), CALL_ENDED],
  ['a state is added', withState('FAILED/LOST', 'It is lost.'), 'FAILED/LOST'],
  ['a state is removed', { ...behaviour, states: without(behaviour.states) }, CALL_ENDED],
  [
    'a transition gets another cause',
    { ...behaviour, moves: { ...behaviour.moves, [APPROVAL]: 'WEBHOOK, POLL' } },
    APPROVAL,
  ],
])(
  'if %s, the schema gate requires that the changelog announces the changed behaviour',
  async (_what, changed, coordinate) => {
    const change = { present: { sdl, behaviour: changed } };

    expect(behaviour.moves[APPROVAL]).toContain('MUTATION');
    expect(await failuresOf(change)).toMatchObject([
      { coordinate, what: expect.stringContaining('The behaviour changed') },
    ]);
    expect(await failuresOf({ ...change, changelog: announcing(coordinate) })).toEqual([]);
  },
);

test('the schema gate reports an operation of the client kit that the changed schema does not allow, with its line', async () => {
  const failures = await failuresOf({ operations: `${operations}\nquery Old { viewer { colour } }\n` });

  expect(failures).toMatchObject([
    {
      coordinate: `schema/operations.graphql:${operations.split('\n').length + 1}`,
      what: expect.stringContaining('colour'),
    },
  ]);
});
