import { describe, expect, test } from 'vitest';
import { LOCALES, type Locale } from '../../src/domain/locales.ts';
import {
  ALL_REVIEW_REASONS,
  REVIEW_INPUT_RULES,
  REVIEW_REASONS,
  type ReviewInput,
  toCustomerReasons,
  toCustomerReasonTexts,
  toKnownReasons,
  toRecordedReasons,
} from '../../src/domain/review-reasons.ts';

/** Reasons as the specification lists them. */
const SPECIFIED = [
  'FACE_MISMATCH',
  'LIVENESS_DOUBTED',
  'CUSTOMER_PROMPTED',
  'DOCUMENT_UNREADABLE',
  'DOCUMENT_DOUBTED',
  'NAME_MISMATCH',
  'ADDRESS_MISMATCH',
  'LOCATION_MISMATCH',
  'QUESTIONS_FAILED',
  'AUDIO_OR_VIDEO_POOR',
  'CALL_INCOMPLETE',
  'OTHER',
] as const;
const WITH_APPROVAL = [
  'NAME_MISMATCH',
  'ADDRESS_MISMATCH',
  'LOCATION_MISMATCH',
  'AUDIO_OR_VIDEO_POOR',
  'OTHER',
];
const locales = Object.keys(LOCALES) as Locale[];

const problemsOf = (input: ReviewInput): string[] =>
  REVIEW_INPUT_RULES.filter(({ holds }) => !holds(input)).map(({ field, message }) => `${field} ${message}`);
const NEEDS_REMARKS =
  'remarks must not be empty if a reason is OTHER, or if a decision other than APPROVED has no reasons';

test('ALL_REVIEW_REASONS lists exactly the reasons of the specification', () => {
  expect(ALL_REVIEW_REASONS).toEqual(SPECIFIED);
});

describe('texts for the customer', () => {
  test('every reason has a different English sentence, and a different Hindi sentence in Devanagari, for the customer', () => {
    for (const locale of locales) {
      const texts = ALL_REVIEW_REASONS.map((reason) => REVIEW_REASONS[reason].customerText[locale]);
      expect(new Set(texts).size).toBe(texts.length);
      for (const text of texts)
        expect(text).toMatch(
          locale === 'HI' ? /^\p{Script=Devanagari}[^A-Za-z]*।$/u : /^[A-Z][^\u0900-\u097f]*\.$/,
        );
    }
  });

  test('no text for the customer repeats the description for staff, or mentions doubt, suspicion, fraud or forgery', () => {
    for (const reason of ALL_REVIEW_REASONS) {
      const { description, customerText } = REVIEW_REASONS[reason];
      expect(customerText.EN).not.toBe(description);
      expect(customerText.EN).not.toMatch(
        /doubt|suspect|suspici|fraud|fake|forge|genuine|prompt|wrong|somebody/i,
      );
      expect(customerText.HI).not.toMatch(/शक|संदेह|धोखा|जाली|नकली|फ़र्ज़ी|फर्जी|ग़लत|गलत/);
    }
  });

  test('toCustomerReasonTexts returns the texts in the order of the reasons, and none for an approval', () => {
    const reasons = ['NAME_MISMATCH', 'OTHER'] as const;
    expect(toCustomerReasonTexts('REJECTED', reasons, 'EN')).toEqual([
      'Your name differs from the name on your document.',
      'We could not verify your identity.',
    ]);
    expect(toCustomerReasonTexts('UNABLE_TO_VALIDATE', reasons, 'HI')[1]).toBe(
      'हम आपकी पहचान की पुष्टि नहीं कर पाए।',
    );
    expect(toCustomerReasonTexts('APPROVED', reasons, 'EN')).toEqual([]);
  });

  test('a customer gets one OTHER in place of all reasons that reveal a suspicion', () => {
    expect(toCustomerReasons(SPECIFIED)).toEqual([
      'FACE_MISMATCH',
      'OTHER',
      'DOCUMENT_UNREADABLE',
      ...SPECIFIED.slice(5, -1),
    ]);
  });
});

test('a decision other than APPROVED without reasons is recorded as OTHER; reasons that are given are kept', () => {
  for (const decision of ['REJECTED', 'UNABLE_TO_VALIDATE'] as const) {
    expect(toRecordedReasons({ decision })).toEqual(['OTHER']);
    expect(toRecordedReasons({ decision, reasons: [] })).toEqual(['OTHER']);
    expect(toRecordedReasons({ decision, reasons: ['FACE_MISMATCH'] })).toEqual(['FACE_MISMATCH']);
  }
  expect(toRecordedReasons({ decision: 'APPROVED' })).toEqual([]);
});

test('a stored reason that this release does not know is read as OTHER', () => {
  expect(toKnownReasons(['FACE_MISMATCH', 'LATER_REASON', 'toString', 'OTHER'])).toEqual([
    'FACE_MISMATCH',
    'OTHER',
  ]);
  expect(toKnownReasons(null)).toEqual([]);
});

describe('rules for the input', () => {
  test('remarks are needed for a decision other than APPROVED without reasons, and for every decision with the reason OTHER', () => {
    for (const decision of ['REJECTED', 'UNABLE_TO_VALIDATE'] as const) {
      expect(problemsOf({ decision })).toEqual([NEEDS_REMARKS]);
      expect(problemsOf({ decision, remarks: '' })).toEqual([NEEDS_REMARKS]);
      expect(problemsOf({ decision, reasons: [] })).toEqual([NEEDS_REMARKS]);
      expect(problemsOf({ decision, reasons: ['FACE_MISMATCH', 'OTHER'] })).toEqual([NEEDS_REMARKS]);
      expect(problemsOf({ decision, remarks: 'Not her.' })).toEqual([]);
      expect(problemsOf({ decision, reasons: ['FACE_MISMATCH'] })).toEqual([]);
    }
    expect(problemsOf({ decision: 'APPROVED' })).toEqual([]);
    expect(problemsOf({ decision: 'APPROVED', reasons: ['OTHER'] })).toEqual([NEEDS_REMARKS]);
  });

  test('an approval with remarks may have only the reasons that the specification allows for it, never CUSTOMER_PROMPTED', () => {
    const allowed = ALL_REVIEW_REASONS.filter(
      (reason) => problemsOf({ decision: 'APPROVED', reasons: [reason], remarks: 'Explained.' }).length === 0,
    );
    expect(allowed).toEqual(WITH_APPROVAL);
    expect(problemsOf({ decision: 'APPROVED', reasons: ['CUSTOMER_PROMPTED'] })[0]).toContain(
      'CUSTOMER_PROMPTED',
    );
  });

  test('a rejection may have all reasons together, but no reason twice', () => {
    expect(problemsOf({ decision: 'REJECTED', reasons: SPECIFIED, remarks: 'All of it.' })).toEqual([]);
    expect(problemsOf({ decision: 'REJECTED', reasons: ['FACE_MISMATCH', 'FACE_MISMATCH'] })).toEqual([
      'reasons must not contain a reason twice',
    ]);
  });

  test('the reason CALL_INCOMPLETE contradicts the statement that the call was complete', () => {
    const reject = (callComplete?: boolean) =>
      problemsOf({ decision: 'REJECTED', reasons: ['CALL_INCOMPLETE'], callComplete });
    expect(reject(true)).toEqual(['reasons must not contain CALL_INCOMPLETE if `callComplete` is true']);
    expect(reject(false)).toEqual([]);
    expect(reject()).toEqual([]);
  });
});
