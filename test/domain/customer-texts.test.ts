import { expect, test } from 'vitest';
import { OPERATION_ROLES } from '../../src/domain/access.ts';
import {
  CUSTOMER_TEXTS_BY_SUB_STATUS,
  DISPUTED_CUSTOMER_TEXTS,
  toCustomerMessage,
  toCustomerStatusInfo,
} from '../../src/domain/customer-texts.ts';
import { LOCALES, type Locale } from '../../src/domain/locales.ts';
import { ALL_PAIRS, getStatusInfo, SUB_STATUSES, toStatusPair } from '../../src/domain/status.ts';

const MAX_LENGTH = 120;
const locales = Object.keys(LOCALES) as Locale[];
const texts = [
  ...Object.entries(CUSTOMER_TEXTS_BY_SUB_STATUS),
  ['a disputed session', DISPUTED_CUSTOMER_TEXTS] as const,
];
const parts = (locale: Locale) =>
  texts.flatMap(([name, { [locale]: text }]) => [
    { name: `${name} ${locale}, what happened`, part: text.happened },
    { name: `${name} ${locale}, what to do next`, part: text.next },
  ]);
const all = locales.flatMap(parts);

test('every sub-status has a text for customers in English and in Hindi', () => {
  expect(Object.keys(CUSTOMER_TEXTS_BY_SUB_STATUS).toSorted()).toEqual([...SUB_STATUSES].toSorted());
  for (const [name, text] of texts) expect(Object.keys(text), name).toEqual(locales);
});

test('each part of a text for customers is one or two short sentences', () => {
  for (const { name, part } of all) {
    expect(part.length, `${name}: ${part}`).toBeLessThanOrEqual(MAX_LENGTH);
    expect(part.trim(), name).toBe(part);
    expect(part.match(/[.।]/g)?.length, `${name}: ${part}`).toBeOneOf([1, 2]);
    expect(part, name).toMatch(/[.।]$/);
  }
});

test('Hindi texts are in Devanagari and Unicode form NFC, and address the customer politely', () => {
  /** Latin words that customers know in this form. */
  const KEPT = /\b(VPN|KYC)\b/g;
  for (const { name, part } of parts('HI')) {
    expect(part.replace(KEPT, ''), `${name}: ${part}`).toMatch(/^[\p{Script=Devanagari}।,\s]+$/u);
    expect(part.normalize('NFC'), name).toBe(part);
    expect(part, name).toMatch(/।$/);
    // तुम and तू, their forms, and the imperatives that go with them are impolite.
    expect(part.split(/[\s।,]+/), name).not.toContainEqual(
      expect.stringMatching(/^(तुम|तू|तुम्हार\S*|तेर\S*|करो|खोलो|जाओ|रखो|जुड़ो)$/),
    );
  }
});

test('English texts are in Latin letters, without names of statuses', () => {
  for (const { name, part } of parts('EN')) expect(part, name).toMatch(/^[A-Za-z ,.'-]+$/);
});

test('no text for customers gives advice to staff or accuses the customer', () => {
  const mutations = Object.keys(OPERATION_ROLES).flatMap((operation) => operation.split('.')[1] ?? []);
  const forStaff = new RegExp(
    `_|\\b(${mutations.join('|')}|the customer|merchant|provider|auditor|onboard|escalate|balance|fraud)\\b`,
    'i',
  );
  const accusing =
    /\byou (failed|refused|rejected|declined|missed|dropped|left|ended|did not|must)\b|fraud|suspicious|illegal/i;
  for (const { name, part } of all) {
    expect(part, name).not.toMatch(forStaff);
    expect(part, name).not.toMatch(accusing);
  }
});

test('only the text of the final approval says that the verification is complete', () => {
  const complete = locales.flatMap((locale) =>
    parts(locale).filter(({ part }) => /Your verification is complete|वेरिफ़िकेशन पूरा हो गया/.test(part)),
  );
  expect(complete.map(({ name }) => name)).toEqual([
    'AUDITOR_APPROVED EN, what happened',
    'AUDITOR_APPROVED HI, what happened',
  ]);
});

test('toCustomerMessage says what happened and what to do next, in the wanted language', () => {
  expect(toCustomerMessage('VKYC_EXPIRED', 'EN')).toBe(
    'Your link has expired. Please ask us for a new link.',
  );
  expect(toCustomerMessage('VKYC_EXPIRED', 'HI')).toBe(
    'आपके लिंक की समय सीमा समाप्त हो गई है। कृपया हमसे नया लिंक माँगें।',
  );
});

test('toCustomerMessage names no decision for a disputed session', () => {
  for (const { subStatus } of ALL_PAIRS)
    expect(toCustomerMessage(subStatus, 'EN', 'DISPUTED')).toBe(
      'Your verification is being checked once more. You need not do anything now. Please wait for the result.',
    );
});

test('toCustomerMessage tells the customer of a replaced session about the newest link, and of an expired link to ask for a new one', () => {
  expect(toCustomerMessage('VKYC_EXPIRED', 'EN', 'REPLACED')).toBe(toCustomerMessage('REPLACED', 'EN'));
  expect(toCustomerMessage('LINK_GENERATED', 'HI', 'LINK_ENDED')).toBe(
    toCustomerMessage('VKYC_EXPIRED', 'HI'),
  );
});

test('toCustomerInfo changes only the explanation and the recommended action of a status', () => {
  const info = getStatusInfo(toStatusPair('USER_LOCATION_OUTSIDE_INDIA'));
  expect(toCustomerStatusInfo(info)).toEqual({
    ...info,
    explanation: 'Your location appears to be outside India. Video KYC is possible only from inside India.',
    recommendedAction: 'Please try again when you are in India.',
  });
  for (const each of ALL_PAIRS) expect(toCustomerStatusInfo(each).explanation).not.toBe(each.explanation);
});
