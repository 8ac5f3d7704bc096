/** Every text of startSession, with values of every bad kind: each problem is reported under the path of its field. */
import {
  type GraphQLInputType,
  getNamedType,
  getNullableType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isScalarType,
} from 'graphql';
import { describe, expect, test } from 'vitest';
import { getSchema } from '../../src/graphql/schema.ts';
import { bootGateway } from '../harness/gateway.ts';
import { inMinutes } from '../harness/people.ts';
import { against, asha, known, problem, start } from './starting.ts';

interface TextField {
  /** Path of the field in the input, such as `aadhaarDetails.name`. */
  readonly path: string;
  readonly required: boolean;
}

/** Yields every text of an input type; of a list, those of its first entry. */
function* textsOf(type: GraphQLInputType, path: readonly string[] = []): Generator<TextField> {
  const named = getNamedType(type);
  if (isInputObjectType(named)) {
    const inner = isListType(getNullableType(type)) ? [...path, '0'] : path;
    for (const field of Object.values(named.getFields())) yield* textsOf(field.type, [...inner, field.name]);
  } else if (isScalarType(named) && named.name === 'String') {
    const isList = isListType(getNullableType(type));
    yield { path: [...path, ...(isList ? ['0'] : [])].join('.'), required: isList || isNonNullType(type) };
  }
}

const INPUT = getSchema().getType('StartSessionInput') as GraphQLInputType;
const TEXTS = [...textsOf(INPUT)];

/** Fields with a required format: a text in another format is refused. */
const FORMED = [
  ...['verificationId', 'user.userId', 'user.phone', 'user.email'],
  ...['aadhaarDetails.dob', 'aadhaarDetails.gender', 'aadhaarDetails.photoLink'],
  ...['aadhaarDetails.address.pincode', 'languages.0'],
];
/** Fields without a required format that must not be empty. */
const NOT_EMPTY = [
  ...['userTemplate', 'agentTemplate', 'aadhaarDetails.name'],
  ...['aadhaarDetails.address.country', 'securityQuestions.0.question'],
];
/** Fields with the name of a template, which must not contain control or invisible characters. */
const NAMES = ['userTemplate', 'agentTemplate'];
/** Labels, which must be one line that is not empty. */
const LABELS = ['metadata.0.key', 'metadata.0.value', 'tags.0'];

// Hundreds of calls: the comparison of two executors would double their time.
const gateway = await bootGateway({ bothWays: false });
let count = 0;

/** Returns a valid input that has a value at every path, except for the given one. */
function inputWith(path: string, value: unknown): object {
  count += 1;
  const input = {
    verificationId: `problem.${count}`,
    user: { ...asha, userId: `person.${count}`, email: 'asha@example.com', address: 'Pune' },
    userTemplate: 'vkyc_user_template_v1',
    agentTemplate: 'vkyc_agent_template_v1',
    aadhaarDetails: {
      name: 'Asha Rao',
      dob: '29-02-1992',
      gender: 'F',
      careOf: '',
      photoLink: 'https://example.com/photo.jpg',
      lastVerifiedAt: inMinutes(-1),
      address: {
        country: 'India',
        dist: 'Pune',
        house: '12 B',
        pincode: '411001',
        state: 'Maharashtra',
        street: 'MG Road',
        po: 'Pune',
        subdist: 'Haveli',
        vtc: 'Pune',
      },
    },
    securityQuestions: [{ order: 1, question: 'Where?', answer: 'Pune' }],
    metadata: [{ key: 'branch', value: 'Pune' }],
    tags: ['vip'],
    languages: ['hi'],
  };
  const keys = path.split('.');
  const last = keys.pop() as string;
  const owner = keys.reduce<any>((at, key) => at[key], input);
  expect(owner, path).toHaveProperty(last);
  owner[last] = value;
  return input;
}

const START = 'mutation ($input: StartSessionInput!) { startSession(input: $input) { __typename } }';

const BAD_TEXTS: [string, string, (path: string) => boolean][] = [
  ['a null byte', 'a\0b', () => true],
  ['half a surrogate pair', 'a\ud83d', () => true],
  ['zero-width spaces alone', '\u200b\u200b', () => true],
  ['white space alone', ' \t\n', () => true],
  ['10,000 letters', 'x'.repeat(10_000), () => true],
  ['201 syllables', 'कि'.repeat(201), (path) => !['user.address', 'metadata.0.value'].includes(path)],
  ['no character', '', (path) => [...FORMED, ...NOT_EMPTY, ...LABELS].includes(path)],
  ['a bell', 'a\u0007b', (path) => [...FORMED, ...NAMES, ...LABELS].includes(path)],
  ['a line break', 'a\nb', (path) => [...FORMED, ...NAMES, ...LABELS].includes(path)],
  ['a zero-width space', 'a\u200bb', (path) => FORMED.includes(path) || NAMES.includes(path)],
  ['text in Devanagari with an emoji', 'आशा 👨‍👩‍👧', (path) => FORMED.includes(path)],
];

describe('texts of startSession', () => {
  test('the list of texts that this suite tests covers every text of StartSessionInput', () => {
    const paths = TEXTS.map(({ path }) => path);

    expect(paths.length).toBeGreaterThan(20);
    for (const path of [...FORMED, ...NOT_EMPTY, ...NAMES]) expect(paths).toContain(path);
  });

  test.each(TEXTS)(
    'a bad text in $path is reported under that path, and no other problem is reported',
    async ({ path }) => {
      for (const [what, value, isBad] of BAD_TEXTS) {
        const answer = await start(gateway, inputWith(path, value));
        // As the name of a template, even a well-formed text is refused: the sandbox has no template of that name.
        const refused = isBad(path) || NAMES.includes(path);

        expect([what, answer.__typename]).toEqual([
          what,
          refused ? 'InvalidInputError' : 'StartSessionSuccess',
        ]);
        if (!refused) continue;
        expect([what, answer.problems]).toEqual([
          what,
          [{ path: path.split('.'), message: expect.stringMatching(/^(must|may) \S+ .*[^.]$/u) }],
        ]);
        expect(answer.message).toContain(`${path} ${answer.problems[0].message}`);
      }
    },
  );

  test.each(TEXTS)(
    'a value in $path that is not a text is refused with a client error that names the path',
    async ({ path, required }) => {
      const values = [5, 1.5, true, {}, { a: 1 }, ['a'], ...(required ? [null] : [])];
      for (const value of values) {
        const { data, errors } = await gateway.graphql(START, { input: inputWith(path, value) });

        expect([value, errors?.map(({ extensions }) => extensions.code)]).toEqual([
          value,
          ['BAD_USER_INPUT'],
        ]);
        expect(errors?.[0]?.message).toContain(path.replace('.0', '[0]'));
        expect(data ?? null).toBeNull();
      }
    },
  );
});

test('each security question with a wrong `order` is reported under the path of that `order`', async () => {
  const question = { question: 'Where?', answer: 'Pune' };
  const { problems } = await start(gateway, {
    verificationId: 'order.1',
    user: asha,
    securityQuestions: [
      { ...question, order: 1 },
      { ...question, order: 3, question: '' },
      { ...question, order: 3 },
      { ...question, order: 3 },
    ],
  });

  expect(problems.map(({ path, message }: any) => `${path.join('.')} ${message}`).sort()).toEqual([
    'securityQuestions.1.order must be 2: number the questions 1, 2, 3 … in their order',
    'securityQuestions.1.question must not be empty',
    'securityQuestions.3.order must be 4: number the questions 1, 2, 3 … in their order',
  ]);
});

describe("the provider's refusals of a field", async () => {
  const AADHAAR = (inputWith('userTemplate', 'x') as { aadhaarDetails: object }).aadhaarDetails;
  let refuses = { path: '', code: '' };
  const { gateway: refused } = await against(({ path, body }) =>
    path.startsWith(refuses.path)
      ? problem(400, refuses.code, 'Asha Rao 9988776655')
      : known(JSON.parse(body).user_id),
  );
  const refusalOf = async (path: '/user' | '/vkyc', code: string) => {
    refuses = { path, code };
    const input = path === '/user' ? {} : { aadhaarDetails: AADHAAR };
    return start(refused, { verificationId: 'field.1', user: asha, ...input });
  };
  const reported = (expected: string) => ({
    __typename: 'InvalidInputError',
    retryable: false,
    message: `The provider did not accept the input: ${expected}.`,
    problems: [{ path: expected.split(' ')[0]?.split('.') }],
  });

  test.each([
    ['user_id_length_exceeded', 'user.userId is longer than the provider accepts'],
    ['phone_value_invalid', 'user.phone has a value that the provider does not accept'],
    ['email_value_invalid', 'user.email has a value that the provider does not accept'],
    ['address_length_exceeded', 'user.address is longer than the provider accepts'],
    ['name_value_invalid', 'user.name may contain only letters, digits, spaces, dots and hyphens'],
  ])('the provider error %s about a user is reported as: %s', async (code, expected) => {
    expect(await refusalOf('/user', code)).toMatchObject(reported(expected));
  });

  test.each([
    ['verification_id_value_invalid', 'verificationId may contain only the characters A-Z a-z 0-9 . _ -'],
    ['user_template_value_invalid', 'userTemplate has a value that the provider does not accept'],
    ['agent_template_missing', 'agentTemplate must be given'],
    ['notification_types_value_invalid', 'notificationTypes has a value that the provider does not accept'],
    ['security_questions.0.answer_missing', 'securityQuestions.0.answer must be given'],
    ['security_questions.0.colour_missing', 'securityQuestions must be given'],
    ['aadhaar_details_value_invalid', 'aadhaarDetails has a value that the provider does not accept'],
    [
      'aadhaar_details.name_value_invalid',
      'aadhaarDetails.name has a value that the provider does not accept',
    ],
    ['name_value_invalid', 'aadhaarDetails.name may contain only letters, digits, spaces, dots and hyphens'],
    ['dob_value_invalid', 'aadhaarDetails.dob has a value that the provider does not accept'],
    [
      'aadhaar_details.last_verified_at_value_invalid',
      'aadhaarDetails.lastVerifiedAt has a value that the provider does not accept',
    ],
    [
      'aadhaar_details.split_address.pincode_value_invalid',
      'aadhaarDetails.address.pincode has a value that the provider does not accept',
    ],
    ['aadhaar_details.split_address.dist_missing', 'aadhaarDetails.address.dist must be given'],
    ['aadhaar_details.year_of_birth_missing', 'aadhaarDetails must be given'],
  ])('the provider error %s about a start is reported as: %s', async (code, expected) => {
    expect(await refusalOf('/vkyc', code)).toMatchObject(reported(expected));
  });

  test.each(['year_of_birth_missing', 'constructor_missing', '_missing', 'app_id_value_invalid'])(
    'the provider error %s, which names no field of the input, is reported as PROVIDER_REFUSED without a path',
    async (code) => {
      expect(await refusalOf('/vkyc', code)).toMatchObject({
        __typename: 'ProviderError',
        code: 'PROVIDER_REFUSED',
        providerCode: code,
      });
    },
  );
});
