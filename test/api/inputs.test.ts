/** Input of mutations: valid input is accepted; invalid input is refused with its path, and a text that says why. */
import { describe, expect, test } from 'vitest';
import { stillClock } from '../harness/clock.ts';
import { bootGateway } from '../harness/gateway.ts';
import { inMinutes, person } from '../harness/people.ts';
import { asha, start } from './starting.ts';

const gateway = await bootGateway();
const operator = await person(gateway, 'olga', 'ADMIN');

const ADDRESS = {
  country: 'India',
  dist: 'Pune',
  house: '12 B',
  pincode: '411001',
  state: 'Maharashtra',
  street: 'MG Road',
};
const AADHAAR = {
  name: 'Asha Rao',
  dob: '29-02-1992',
  gender: 'F',
  careOf: '',
  photoLink: 'https://example.com/photo.jpg?size=1',
  lastVerifiedAt: inMinutes(-60),
  address: ADDRESS,
};

let count = 0;
const startWith = async (input: object, user: object = {}) => {
  count += 1;
  return start(gateway, { verificationId: `input.${count}`, user: { ...asha, ...user }, ...input });
};
const startWithAadhaar = (details: object, address: object = {}) =>
  startWith({ aadhaarDetails: { ...AADHAAR, ...details, address: { ...ADDRESS, ...address } } });

const SUCCESS = { __typename: 'StartSessionSuccess' };
const refusal = (path: string, message: string) => ({
  __typename: 'InvalidInputError',
  problems: [{ path: path.split('.'), message }],
});

const HIGH_HALF = '\ud83d';
const UNSTORABLE = 'must not contain null bytes (U+0000) or half a surrogate pair';

describe('text that PostgreSQL cannot store', () => {
  test.each([HIGH_HALF, 'key\0'])(
    'the text %j, which PostgreSQL cannot store, is refused as an idempotency key',
    async (idempotencyKey) => {
      const { id } = await gateway.start(`keys.${idempotencyKey.length}`);

      const refused = await operator.act('scheduleMeeting', id, { startsAt: inMinutes(30), idempotencyKey });

      expect(refused).toMatchObject({
        code: 'INVALID_INPUT',
        problems: [{ path: ['idempotencyKey'], message: UNSTORABLE }],
      });
    },
  );

  test('a filter refuses a text that PostgreSQL cannot store, and a lookup by such a text finds nothing', async () => {
    const { errors } = await gateway.graphql(
      'query ($text: String) { sessions(first: 1, filter: { verificationIdPrefix: $text }) { nodes { id } } }',
      { text: HIGH_HALF },
    );
    const { data } = await gateway.graphql(
      'query ($text: String!) { sessionByVerificationId(verificationId: $text) { id } }',
      { text: HIGH_HALF },
    );

    expect(errors).toMatchObject([
      { message: `\`verificationIdPrefix\` ${UNSTORABLE}.`, extensions: { code: 'BAD_USER_INPUT' } },
    ]);
    expect(data).toEqual({ sessionByVerificationId: null });
  });
});

describe('Aadhaar details', () => {
  test.each([
    ['31-02-1990', 'must be an existing day, as DD-MM-YYYY'],
    ['99-99-9999', 'must be an existing day, as DD-MM-YYYY'],
    ['00-01-1990', 'must be an existing day, as DD-MM-YYYY'],
    ['29-02-1900', 'must be an existing day, as DD-MM-YYYY'],
    ['1990-02-28', 'must have the form DD-MM-YYYY'],
    ['01-01-2999', 'must not be in the future'],
    ['01-01-0001', 'must not be more than 130 years ago'],
  ])('the date of birth %s is refused: %s', async (dob, message) => {
    expect(await startWithAadhaar({ dob })).toMatchObject(refusal('aadhaarDetails.dob', message));
  });

  test('a date of birth counts as in the future until the day begins in India', async () => {
    const clock = stillClock(new Date('2026-03-01T18:29:00Z'));
    const india = await bootGateway({ clock });
    const bornOnTheSecond = (verificationId: string) =>
      start(india, {
        verificationId,
        user: asha,
        aadhaarDetails: { ...AADHAAR, dob: '02-03-2026', lastVerifiedAt: '2026-03-01T12:00:00Z' },
      });

    const before = await bornOnTheSecond('born.1');
    clock.forward(60_000);
    const after = await bornOnTheSecond('born.2');

    expect(before).toMatchObject(refusal('aadhaarDetails.dob', 'must not be in the future'));
    expect(after).toMatchObject(SUCCESS);
  });

  test.each(['012345', '41100', '4110011', '4110 1', '४११००१'])(
    'the PIN code %s of an address is refused',
    async (pincode) => {
      expect(await startWithAadhaar({}, { pincode })).toMatchObject(
        refusal('aadhaarDetails.address.pincode', 'must be 6 digits, the first of which is not 0'),
      );
    },
  );

  test.each([
    'file:///etc/passwd',
    'javascript:alert(1)',
    'data:image/png;base64,AAAA',
    'ftp://example.com/photo',
    '//example.com/photo',
    'https:example.com',
    'https://',
    'https://user:secret@example.com/photo',
    'https://example.com/a photo',
    'java\tscript:alert(1)',
    ' https://example.com/photo',
    'https://exam\u200bple.com/photo',
    'https://example.com\\@evil.example/',
  ])('the link %j of an Aadhaar photo is refused', async (photoLink) => {
    expect(await startWithAadhaar({ photoLink })).toMatchObject(
      refusal(
        'aadhaarDetails.photoLink',
        'must be a URL that begins with https:// or http:// and has no user name or password',
      ),
    );
  });

  test.each([
    'http://photos.bank.internal:8080/1.jpg',
    'HTTPS://example.com/फोटो.jpg',
    'https://[2001:db8::1]/1',
  ])('the link %s of an Aadhaar photo is accepted', async (photoLink) => {
    expect(await startWithAadhaar({ photoLink })).toMatchObject(SUCCESS);
  });

  test('an Aadhaar verification time (lastVerifiedAt) in the future is refused', async () => {
    expect(await startWithAadhaar({ lastVerifiedAt: inMinutes(30) })).toMatchObject(
      refusal('aadhaarDetails.lastVerifiedAt', 'must not be in the future'),
    );
  });

  test('startSession reports all problems of an input in one response', async () => {
    const { problems } = await startWith(
      {
        notificationTypes: ['EMAIL'],
        aadhaarDetails: { ...AADHAAR, dob: '31-04-1990', photoLink: 'file:///x', name: '\u200b' },
      },
      { email: undefined, name: '\u2066' },
    );

    expect(problems.map(({ path }: { path: string[] }) => path.join('.')).sort()).toEqual([
      'aadhaarDetails.dob',
      'aadhaarDetails.name',
      'aadhaarDetails.photoLink',
      'notificationTypes',
      'user.name',
    ]);
  });
});

describe('invisible text', () => {
  const INVISIBLE = {
    'zero-width space': '\u200b',
    'byte order mark': '\ufeff',
    'bidi marks': '\u200e\u202e\u2066\u061c',
    'word joiner and soft hyphen': '\u2060\u00ad',
    'white space': ' \t\n\u00a0\u2003\u3000',
    'Hangul filler': '\u3164\uffa0',
    'blank Braille': '\u2800',
    'variation selector': '\ufe0f',
    tags: '\u{e0020}\u{e007f}',
    control: '\u0007\u009f',
  };

  test.each(Object.entries(INVISIBLE))(
    'a text without a visible character is refused as remarks, reason and name: %s',
    async (_what, text) => {
      const { session } = await startWith({});
      await operator.act('scheduleMeeting', session.id, { startsAt: inMinutes(30) });
      const message = 'must have a visible character';

      const [review, cancel, named] = [
        await operator.act('recordAgentReview', session.id, { decision: 'REJECTED', remarks: text }),
        await operator.act('cancelMeeting', session.id, { reason: text }),
        await startWith({}, { name: text }),
      ];

      expect(review).toMatchObject(refusal('remarks', message));
      expect(cancel).toMatchObject(refusal('reason', message));
      expect(named).toMatchObject(refusal('user.name', message));
    },
  );

  test('every text field of startSession refuses a text without a visible character', async () => {
    const invisible = '\u200b';
    const texts = [
      [await startWith({ userTemplate: invisible }), 'userTemplate'],
      [await startWith({ agentTemplate: invisible }), 'agentTemplate'],
      [await startWith({}, { address: invisible }), 'user.address'],
      [await startWithAadhaar({ careOf: invisible }), 'aadhaarDetails.careOf'],
      ...(await Promise.all(
        ['country', 'dist', 'house', 'state', 'street', 'po', 'subdist', 'vtc'].map(
          async (name) =>
            [await startWithAadhaar({}, { [name]: invisible }), `aadhaarDetails.address.${name}`] as const,
        ),
      )),
      [
        await startWith({ securityQuestions: [{ order: 1, question: invisible, answer: 'Pune' }] }),
        'securityQuestions.0.question',
      ],
      [
        await startWith({ securityQuestions: [{ order: 1, question: 'Where?', answer: invisible }] }),
        'securityQuestions.0.answer',
      ],
    ] as const;

    for (const [answer, path] of texts)
      expect(answer, path).toMatchObject(refusal(path, 'must have a visible character'));
  });

  test('a text with at least one visible character is stored unchanged', async () => {
    const { session } = await startWith({});

    const recorded = await operator.act('scheduleMeeting', session.id, { startsAt: inMinutes(30) });
    const cancelled = await operator.act('cancelMeeting', session.id, { reason: ' \u200f؟ ' });

    expect(recorded.__typename).toBe('ScheduleMeetingSuccess');
    expect(cancelled).toMatchObject({ meeting: { cancelReason: ' \u200f؟ ' } });
  });
});

describe('length of text', () => {
  test.each([
    ['60 syllables of Devanagari', 'क्षि'.repeat(60)],
    ['100 family emoji of seven code points (200 would be too many bytes)', '👨‍👩‍👧‍👦'.repeat(100)],
    ['200 letters', 'x'.repeat(200)],
  ])('a name within the limit of 200 characters is accepted: %s', async (_what, name) => {
    expect(await startWith({}, { name })).toMatchObject(SUCCESS);
  });

  test.each([
    ['201 letters', 'x'.repeat(201), 'must have at most 200 characters'],
    ['201 syllables', 'कि'.repeat(201), 'must have at most 200 characters'],
    [
      'one letter under 2,000 accents',
      `e${'\u0301'.repeat(2_000)}`,
      'must have at most 200 characters, and 3200 bytes in UTF-8',
    ],
    [
      'sixty thousand letters',
      'x'.repeat(60_000),
      'must have at most 200 characters, and 3200 bytes in UTF-8',
    ],
  ])(
    'a name beyond the limit of 200 characters or 3,200 bytes is refused: %s',
    async (_what, name, message) => {
      expect(await startWith({}, { name })).toMatchObject(refusal('user.name', message));
    },
  );

  test('a reason to cancel a meeting may have 500 characters of two code points each; 501 are refused', async () => {
    const { session } = await startWith({});
    await operator.act('scheduleMeeting', session.id, { startsAt: inMinutes(30) });

    const refused = await operator.act('cancelMeeting', session.id, { reason: 'कि'.repeat(501) });
    const accepted = await operator.act('cancelMeeting', session.id, { reason: 'कि'.repeat(500) });

    expect(refused).toMatchObject(refusal('reason', 'must have at most 500 characters'));
    expect(accepted.meeting.cancelReason).toHaveLength(1_000);
  });

  test('an idempotency key may have at most 200 code points', async () => {
    const { session } = await startWith({});
    const bookWith = (idempotencyKey: string) =>
      operator.act('scheduleMeeting', session.id, { startsAt: inMinutes(30), idempotencyKey });

    expect(await bookWith('कि'.repeat(101))).toMatchObject(
      refusal('idempotencyKey', 'must have at most 200 characters'),
    );
    expect(await bookWith('कि'.repeat(100))).toMatchObject({ __typename: 'ScheduleMeetingSuccess' });
  });
});

describe('e-mail address', () => {
  test.each([
    ['asha@example.xn--h2brj9c', 'asha@example.xn--h2brj9c'],
    ['asha@उदाहरण.भारत', 'asha@xn--p1b6ci4b4b3a.xn--h2brj9c'],
    ['आशा@उदाहरण.भारत', 'आशा@xn--p1b6ci4b4b3a.xn--h2brj9c'],
    ['asha@例え.jp', 'asha@xn--r8jz45g.jp'],
    ['asha&ravi@example.com', 'asha&ravi@example.com'],
    ["o'neil+kyc@Mail.Example.COM", "o'neil+kyc@Mail.Example.COM"],
    ['a!#$%*/=?^_`{|}~-b@example.museum', 'a!#$%*/=?^_`{|}~-b@example.museum'],
  ])('the e-mail address %s is accepted, and the provider gets %s', async (email, sent) => {
    const userId = `mail.${count}`;

    expect(await startWith({ notificationTypes: ['EMAIL'] }, { email, userId })).toMatchObject(SUCCESS);

    const known = await gateway.callProvider('GET', `/user?user_id=${userId}`);
    expect(known.email).toBe(sent);
  });

  test.each([
    'asha',
    'asha@',
    '@example.com',
    'asha@example',
    'asha@1.2.3.4',
    'asha@exam ple.com',
    'asha@exam\u200bple.com',
    'asha@-example.com',
    'asha@example..com',
    'asha@exam_ple.com',
    '.asha@example.com',
    'asha.@example.com',
    'as..ha@example.com',
    'asha rao@example.com',
    'asha@ravi@example.com',
    'asha@%65xample.com',
    `${'a'.repeat(65)}@example.com`,
    `asha@${'b'.repeat(64)}.com`,
    '\u202easha@example.com',
  ])('the e-mail address %j is refused', async (email) => {
    expect(await startWith({}, { email })).toMatchObject(refusal('user.email', 'must be an email address'));
  });
});

describe('notification by e-mail', () => {
  const WITHOUT_ADDRESS = 'must not contain EMAIL without an address: pass user.email too';

  test('a notification by e-mail is refused if the user has no address', async () => {
    const notificationTypes = ['SMS', 'EMAIL'];

    expect(await startWith({ notificationTypes }, { email: undefined })).toMatchObject(
      refusal('notificationTypes', WITHOUT_ADDRESS),
    );
    expect(await startWith({ notificationTypes: ['SMS'] }, { email: undefined })).toMatchObject(SUCCESS);
  });

  test('a start that notifies a known user by e-mail is refused if the provider has no address; a retry with an address and phone succeeds', async () => {
    await gateway.callProvider('POST', '/user', { user_id: 'no-mail', phone: '9988776655' });
    await gateway.callProvider('POST', '/user', {
      user_id: 'mail',
      phone: '9988776655',
      email: 'a@example.com',
    });
    const startFor = (userId: string, user: object = {}) =>
      start(gateway, {
        verificationId: `for.${userId}`,
        user: { userId, ...user },
        notificationTypes: ['EMAIL'],
      });

    expect(await startFor('mail')).toMatchObject(SUCCESS);
    const refused = refusal('notificationTypes', `${WITHOUT_ADDRESS}, together with user.phone`);
    expect(await startFor('no-mail')).toMatchObject(refused);
    // Without the phone number the gateway does not update the user at the provider.
    expect(await startFor('no-mail', { email: 'asha@example.com' })).toMatchObject(refused);
    expect(await startFor('no-mail', { email: 'asha@example.com', phone: '9988776655' })).toMatchObject(
      SUCCESS,
    );
  });
});
