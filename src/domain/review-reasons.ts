/**
 * Coded reasons of a review: the meaning of each for staff, its text for the customer, and the rules that refuse
 * contradictory input.
 */

import type { ReviewDecision } from './actions.ts';
import type { Locale } from './locales.ts';

interface ReasonInfo {
  /** Meaning of the reason, for staff. */
  readonly description: string;
  /**
   * Text for the customer. Says what could not be confirmed, without an accusation: most customers whom a reason
   * concerns are honest, and a dishonest one must not learn what staff noticed.
   */
  readonly customerText: Readonly<Record<Locale, string>>;
  /** Whether an approval may have the reason, because remarks can explain it. */
  readonly allowsApproval: boolean;
  /** Whether the name of the reason reveals a suspicion: customers then get OTHER in its place. */
  readonly isSuspicion: boolean;
}

const disqualifying = { allowsApproval: false, isSuspicion: false } as const;
const suspicious = { allowsApproval: false, isSuspicion: true } as const;
const explicable = { allowsApproval: true, isSuspicion: false } as const;

export const REVIEW_REASONS = {
  FACE_MISMATCH: {
    ...disqualifying,
    description: 'The face does not match the photo of the document.',
    customerText: {
      EN: 'We could not match your face to the photo on your document.',
      HI: 'आपका चेहरा आपके दस्तावेज़ की फ़ोटो से मेल नहीं खा पाया।',
    },
  },
  LIVENESS_DOUBTED: {
    ...suspicious,
    description: 'It is doubtful that a living person was in front of the camera.',
    customerText: {
      EN: 'The video did not show you clearly enough.',
      HI: 'वीडियो में आपको साफ़-साफ़ देखा नहीं जा सका।',
    },
  },
  CUSTOMER_PROMPTED: {
    ...suspicious,
    description: 'Somebody told the customer what to answer. Such a customer cannot be approved.',
    customerText: {
      EN: 'Please take the video call alone, and answer the questions in your own words.',
      HI: 'कृपया वीडियो कॉल के समय अकेले रहें और सवालों के जवाब अपने शब्दों में दें।',
    },
  },
  DOCUMENT_UNREADABLE: {
    ...disqualifying,
    description: 'A document cannot be read.',
    customerText: {
      EN: 'We could not read your document clearly.',
      HI: 'हम आपका दस्तावेज़ ठीक से नहीं पढ़ पाए।',
    },
  },
  DOCUMENT_DOUBTED: {
    ...suspicious,
    description: 'It is doubtful that a document is genuine.',
    customerText: {
      EN: 'We could not confirm the details of your document.',
      HI: 'हम आपके दस्तावेज़ की जानकारी की पुष्टि नहीं कर पाए।',
    },
  },
  NAME_MISMATCH: {
    ...explicable,
    description: 'The name differs from the name on the document.',
    customerText: {
      EN: 'Your name differs from the name on your document.',
      HI: 'आपका नाम आपके दस्तावेज़ में लिखे नाम से अलग है।',
    },
  },
  ADDRESS_MISMATCH: {
    ...explicable,
    description: 'The address differs from the address on the document.',
    customerText: {
      EN: 'Your address differs from the address on your document.',
      HI: 'आपका पता आपके दस्तावेज़ में लिखे पते से अलग है।',
    },
  },
  LOCATION_MISMATCH: {
    ...explicable,
    description: 'The location of the customer differs from the location that the customer stated.',
    customerText: {
      EN: 'We could not confirm your location during the call.',
      HI: 'हम कॉल के दौरान आपकी लोकेशन की पुष्टि नहीं कर पाए।',
    },
  },
  QUESTIONS_FAILED: {
    ...disqualifying,
    description: 'The customer answered the security questions wrongly.',
    customerText: {
      EN: 'We could not confirm your answers to the security questions.',
      HI: 'हम सुरक्षा से जुड़े सवालों के आपके जवाबों की पुष्टि नहीं कर पाए।',
    },
  },
  AUDIO_OR_VIDEO_POOR: {
    ...explicable,
    description: 'The sound or the picture was too poor.',
    customerText: {
      EN: 'The sound or the picture of the call was not clear enough.',
      HI: 'कॉल की आवाज़ या तस्वीर पर्याप्त साफ़ नहीं थी।',
    },
  },
  CALL_INCOMPLETE: {
    ...disqualifying,
    description: 'The call ended before it was complete.',
    customerText: {
      EN: 'The call ended before all steps were complete.',
      HI: 'सभी चरण पूरे होने से पहले कॉल समाप्त हो गई।',
    },
  },
  OTHER: {
    ...explicable,
    description: 'Another reason; remarks are required.',
    customerText: {
      EN: 'We could not verify your identity.',
      HI: 'हम आपकी पहचान की पुष्टि नहीं कर पाए।',
    },
  },
} as const satisfies Record<string, ReasonInfo>;
export type ReviewReason = keyof typeof REVIEW_REASONS;

export const ALL_REVIEW_REASONS = Object.keys(REVIEW_REASONS) as readonly ReviewReason[];

const reasonsThat = (isWanted: (info: ReasonInfo) => boolean): readonly ReviewReason[] =>
  ALL_REVIEW_REASONS.filter((reason) => isWanted(REVIEW_REASONS[reason]));

/** Reasons that an approval may have. */
export const APPROVAL_REASONS = reasonsThat(({ allowsApproval }) => allowsApproval);
/** Reasons that reveal a suspicion: customers get OTHER in their place. */
export const SUSPICION_REASONS = reasonsThat(({ isSuspicion }) => isSuspicion);

/** Fields of a review that `REVIEW_INPUT_RULES` check. */
export interface ReviewInput {
  readonly decision: ReviewDecision;
  readonly reasons?: readonly ReviewReason[] | undefined;
  readonly remarks?: string | undefined;
  readonly callComplete?: boolean | undefined;
}

/**
 * Returns the reasons to store with a review. A decision other than APPROVED has at least one: clients of the last
 * release send none, so OTHER is stored, which their remarks explain.
 */
export const toRecordedReasons = ({ decision, reasons = [] }: ReviewInput): readonly ReviewReason[] =>
  reasons.length === 0 && decision !== 'APPROVED' ? ['OTHER'] : reasons;

/**
 * Returns the reasons of a stored review; none if it was made at the provider or by an earlier release. During a
 * rolling deployment a later release may have stored a reason that this release does not know: OTHER stands for it.
 */
export const toKnownReasons = (stored: readonly string[] | null): readonly ReviewReason[] => [
  ...new Set(
    (stored ?? []).map((reason) =>
      Object.hasOwn(REVIEW_REASONS, reason) ? (reason as ReviewReason) : 'OTHER',
    ),
  ),
];

/** Returns the reasons to show to the customer: OTHER replaces reasons that reveal a suspicion. */
export const toCustomerReasons = (reasons: readonly ReviewReason[]): readonly ReviewReason[] => [
  ...new Set(reasons.map((reason) => (SUSPICION_REASONS.includes(reason) ? 'OTHER' : reason))),
];

/**
 * Returns the customer's texts of the reasons, in the order of the reasons. An approval has none, because its
 * reasons did not prevent it.
 */
export const toCustomerReasonTexts = (
  decision: ReviewDecision,
  reasons: readonly ReviewReason[],
  locale: Locale,
): readonly string[] =>
  decision === 'APPROVED' ? [] : reasons.map((reason) => REVIEW_REASONS[reason].customerText[locale]);

const NOT_WITH_APPROVAL = reasonsThat(({ allowsApproval }) => !allowsApproval);

/** Rules for the input of a review. If `holds` returns false, `field` is invalid, and `message` says why. */
export const REVIEW_INPUT_RULES: readonly {
  readonly field: keyof ReviewInput;
  readonly message: string;
  readonly holds: (review: ReviewInput) => boolean;
}[] = [
  {
    field: 'remarks',
    message: 'must not be empty if a reason is OTHER, or if a decision other than APPROVED has no reasons',
    holds: (review) => !toRecordedReasons(review).includes('OTHER') || Boolean(review.remarks),
  },
  {
    field: 'reasons',
    message: 'must not contain a reason twice',
    holds: ({ reasons = [] }) => new Set(reasons).size === reasons.length,
  },
  {
    field: 'reasons',
    message: `must not contain any of ${NOT_WITH_APPROVAL.join(', ')} if the decision is APPROVED`,
    holds: ({ decision, reasons = [] }) =>
      decision !== 'APPROVED' || !reasons.some((reason) => NOT_WITH_APPROVAL.includes(reason)),
  },
  {
    field: 'reasons',
    message: 'must not contain CALL_INCOMPLETE if `callComplete` is true',
    holds: ({ reasons = [], callComplete }) => !(callComplete && reasons.includes('CALL_INCOMPLETE')),
  },
];
