/**
 * Texts for customers: what happened in each state of their session and what to do next, in each language. The texts
 * give no advice to staff and blame nobody. Each part has at most two short sentences. Hindi addresses the customer with आप,
 * without a verb form that tells the customer's gender, and uses the English words that customers know.
 */
import type { Locale } from './locales.ts';
import type { Circumstance, StatusInfo, SubStatus } from './status.ts';

/**
 * What happened and what to do next, in one language: one or two sentences of at most 120 characters each part. English
 * has only letters, spaces and `, . ' -`. Hindi has only Devanagari (VPN and KYC may stay), spaces, `,` and `।`, and
 * ends in `।`.
 */
export interface CustomerStatusText {
  readonly happened: string;
  readonly next: string;
}

export type CustomerTextsByLocale = Readonly<Record<Locale, CustomerStatusText>>;

const NEXT_STEP = { EN: 'Please go on to the next step.', HI: 'कृपया अगले चरण पर जाएँ।' } satisfies Record<
  Locale,
  string
>;
const WAIT = {
  EN: 'You need not do anything now. Please wait for the result.',
  HI: 'अभी आपको कुछ नहीं करना है। कृपया परिणाम की प्रतीक्षा करें।',
} satisfies Record<Locale, string>;
const ASK_WHY = {
  EN: 'Please contact us to learn the reason and what you can do.',
  HI: 'कारण और आगे के विकल्प जानने के लिए कृपया हमसे संपर्क करें।',
} satisfies Record<Locale, string>;
const NEW_LINK = {
  EN: 'Please wait for a new link, or contact us.',
  HI: 'कृपया नए लिंक की प्रतीक्षा करें, या हमसे संपर्क करें।',
} satisfies Record<Locale, string>;

/** Texts for customers by sub-status. */
export const CUSTOMER_TEXTS_BY_SUB_STATUS: Readonly<Record<SubStatus, CustomerTextsByLocale>> = {
  LINK_GENERATED: {
    EN: { happened: 'Your verification link is ready.', next: 'Please open the link and follow the steps.' },
    HI: { happened: 'आपका वेरिफ़िकेशन लिंक तैयार है।', next: 'कृपया लिंक खोलें और बताए गए चरण पूरे करें।' },
  },
  AADHAAR_VERIFICATION_SUCCESS: {
    EN: { happened: 'Your Aadhaar is verified.', next: NEXT_STEP.EN },
    HI: { happened: 'आपका आधार वेरिफ़ाई हो गया है।', next: NEXT_STEP.HI },
  },
  AADHAAR_VERIFICATION_FAILED: {
    EN: {
      happened: 'We could not verify your Aadhaar details.',
      next: 'Please check the details and try again.',
    },
    HI: {
      happened: 'हम आपके आधार की जानकारी वेरिफ़ाई नहीं कर पाए।',
      next: 'कृपया जानकारी जाँचें और दोबारा कोशिश करें।',
    },
  },
  AADHAAR_VERIFICATION_EXPIRED: {
    EN: { happened: 'The time for the Aadhaar step ran out.', next: 'Please start the Aadhaar step again.' },
    HI: { happened: 'आधार वाले चरण का समय समाप्त हो गया।', next: 'कृपया आधार वाला चरण फिर से शुरू करें।' },
  },
  USER_IP_VERIFICATION_SUCCESSFUL: {
    EN: { happened: 'Your internet connection has been checked.', next: NEXT_STEP.EN },
    HI: { happened: 'आपके इंटरनेट कनेक्शन की जाँच हो गई है।', next: NEXT_STEP.HI },
  },
  USER_PROXY_DETECTED: {
    EN: {
      happened: 'It seems that a VPN or a proxy is switched on.',
      next: 'Please switch it off and try again.',
    },
    HI: { happened: 'ऐसा लगता है कि VPN या प्रॉक्सी चालू है।', next: 'कृपया उसे बंद करें और दोबारा कोशिश करें।' },
  },
  TECHNICAL_FAILURE: {
    EN: {
      happened: 'There was a technical problem. It was not your fault.',
      next: 'Please try again after some time.',
    },
    HI: {
      happened: 'एक तकनीकी समस्या आ गई। इसमें आपकी कोई गलती नहीं है।',
      next: 'कृपया कुछ देर बाद दोबारा कोशिश करें।',
    },
  },
  USER_LOCATION_VERIFICATION_SUCCESS: {
    EN: { happened: 'Your location has been checked.', next: NEXT_STEP.EN },
    HI: { happened: 'आपकी लोकेशन की जाँच हो गई है।', next: NEXT_STEP.HI },
  },
  USER_LOCATION_OUTSIDE_INDIA: {
    EN: {
      happened: 'Your location appears to be outside India. Video KYC is possible only from inside India.',
      next: 'Please try again when you are in India.',
    },
    HI: {
      happened: 'आपकी लोकेशन भारत से बाहर दिख रही है। वीडियो KYC सिर्फ़ भारत में रहते हुए किया जा सकता है।',
      next: 'कृपया भारत आने पर दोबारा कोशिश करें।',
    },
  },
  USER_AUDIO_CHECK_FAILED: {
    EN: {
      happened: 'Your microphone could not be used.',
      next: 'Please allow this page to use the microphone, and try again.',
    },
    HI: {
      happened: 'आपके माइक्रोफ़ोन का इस्तेमाल नहीं हो पाया।',
      next: 'कृपया इस पेज को माइक्रोफ़ोन इस्तेमाल करने की अनुमति दें और दोबारा कोशिश करें।',
    },
  },
  USER_VIDEO_CHECK_FAILED: {
    EN: {
      happened: 'Your camera could not be used.',
      next: 'Please allow this page to use the camera, and try again.',
    },
    HI: {
      happened: 'आपके कैमरे का इस्तेमाल नहीं हो पाया।',
      next: 'कृपया इस पेज को कैमरा इस्तेमाल करने की अनुमति दें और दोबारा कोशिश करें।',
    },
  },
  USER_LOCATION_PERMISSION_DISABLED: {
    EN: {
      happened: 'This page is not allowed to see your location.',
      next: 'Please allow location access and try again.',
    },
    HI: {
      happened: 'इस पेज को आपकी लोकेशन देखने की अनुमति नहीं है।',
      next: 'कृपया लोकेशन की अनुमति दें और दोबारा कोशिश करें।',
    },
  },
  USER_DEVICE_CHECK_SUCCESS: {
    EN: {
      happened: 'Your camera and microphone are ready.',
      next: 'Please join the queue for the video call, or book a time that suits you.',
    },
    HI: {
      happened: 'आपका कैमरा और माइक्रोफ़ोन तैयार हैं।',
      next: 'कृपया वीडियो कॉल की कतार में शामिल हों, या अपनी सुविधा का समय बुक करें।',
    },
  },
  USER_QUEUED: {
    EN: {
      happened: 'You are in the queue for the video call.',
      next: 'Please keep this page open until an agent is free.',
    },
    HI: { happened: 'आप वीडियो कॉल की कतार में हैं।', next: 'कृपया एजेंट के उपलब्ध होने तक यह पेज खुला रखें।' },
  },
  SCHEDULED_USER_QUEUED: {
    EN: {
      happened: 'It is time for your meeting, and you are in the queue.',
      next: 'Please keep this page open until an agent joins.',
    },
    HI: { happened: 'आपकी मीटिंग का समय हो गया है और आप कतार में हैं।', next: 'कृपया एजेंट के जुड़ने तक यह पेज खुला रखें।' },
  },
  NO_AGENT_FOUND: {
    EN: {
      happened: 'No agent is free at the moment. We are sorry about that.',
      next: 'Please try again after some time, or book a time that suits you.',
    },
    HI: {
      happened: 'इस समय कोई एजेंट उपलब्ध नहीं है। असुविधा के लिए हमें खेद है।',
      next: 'कृपया कुछ देर बाद दोबारा कोशिश करें, या अपनी सुविधा का समय बुक करें।',
    },
  },
  AGENT_ASSIGNED_TO_USER: {
    EN: { happened: 'An agent is ready for your video call.', next: 'Please join the call now.' },
    HI: { happened: 'आपकी वीडियो कॉल के लिए एक एजेंट तैयार है।', next: 'कृपया अब कॉल से जुड़ें।' },
  },
  USER_MEETING_SCHEDULED: {
    EN: { happened: 'Your video call is booked.', next: 'Please open your link at the booked time.' },
    HI: { happened: 'आपकी वीडियो कॉल बुक हो गई है।', next: 'कृपया तय समय पर अपना लिंक खोलें।' },
  },
  USER_MEETING_CANCELLED: {
    EN: {
      happened: 'Your booked video call was cancelled.',
      next: 'Please book another time, or join the queue for a call.',
    },
    HI: {
      happened: 'आपकी बुक की गई वीडियो कॉल रद्द हो गई है।',
      next: 'कृपया कोई दूसरा समय बुक करें, या कॉल की कतार में शामिल हों।',
    },
  },
  USER_ACCEPTED_MEETING: {
    EN: { happened: 'You are in the video call.', next: 'Please do what the agent asks of you.' },
    HI: { happened: 'आप वीडियो कॉल में हैं।', next: 'कृपया एजेंट के निर्देशों का पालन करें।' },
  },
  USER_REJECTED_MEETING: {
    EN: { happened: 'The video call did not take place.', next: 'To go on, please book another time.' },
    HI: { happened: 'वीडियो कॉल नहीं हो पाई।', next: 'आगे बढ़ने के लिए कृपया कोई दूसरा समय बुक करें।' },
  },
  USER_MISSED_MEETING: {
    EN: {
      happened: 'We could not meet you in the video call.',
      next: 'Please book another time, or try again.',
    },
    HI: {
      happened: 'वीडियो कॉल पर आपसे बात नहीं हो पाई।',
      next: 'कृपया कोई दूसरा समय बुक करें, या दोबारा कोशिश करें।',
    },
  },
  USER_DROPPED_OFF: {
    EN: {
      happened: 'The connection was lost during the video call.',
      next: 'Please open your link and join again, or book another time.',
    },
    HI: {
      happened: 'वीडियो कॉल के दौरान कनेक्शन टूट गया।',
      next: 'कृपया अपना लिंक खोलकर फिर से जुड़ें, या कोई दूसरा समय बुक करें।',
    },
  },
  AGENT_DROPPED_OFF: {
    EN: {
      happened: "The agent's connection was lost during the video call. We are sorry about that.",
      next: 'Please open your link and join again, or book another time.',
    },
    HI: {
      happened: 'वीडियो कॉल के दौरान एजेंट का कनेक्शन टूट गया। असुविधा के लिए हमें खेद है।',
      next: 'कृपया अपना लिंक खोलकर फिर से जुड़ें, या कोई दूसरा समय बुक करें।',
    },
  },
  USER_ENDED_CALL: {
    EN: {
      happened: 'Your video call has ended.',
      next: 'We are checking whether it was complete. You may be asked for another call.',
    },
    HI: {
      happened: 'आपकी वीडियो कॉल समाप्त हो गई है।',
      next: 'हम देख रहे हैं कि कॉल पूरी हुई या नहीं। ज़रूरत होने पर आपसे एक और कॉल के लिए कहा जा सकता है।',
    },
  },
  AGENT_ENDED_CALL: {
    EN: { happened: 'Your video call has ended.', next: WAIT.EN },
    HI: { happened: 'आपकी वीडियो कॉल समाप्त हो गई है।', next: WAIT.HI },
  },
  AGENT_APPROVED: {
    EN: { happened: 'Your video call is complete, and a final check is under way.', next: WAIT.EN },
    HI: { happened: 'आपकी वीडियो कॉल पूरी हो गई है और आख़िरी जाँच चल रही है।', next: WAIT.HI },
  },
  AGENT_REJECTED: {
    EN: { happened: 'We could not confirm your identity in the video call.', next: ASK_WHY.EN },
    HI: { happened: 'वीडियो कॉल में हम आपकी पहचान की पुष्टि नहीं कर पाए।', next: ASK_WHY.HI },
  },
  AGENT_UNABLE_TO_VALIDATE: {
    EN: {
      happened: 'The video call was not enough to confirm your identity.',
      next: 'Another call is needed. Please book a time that suits you.',
    },
    HI: {
      happened: 'आपकी पहचान की पुष्टि के लिए यह वीडियो कॉल काफ़ी नहीं थी।',
      next: 'एक और कॉल ज़रूरी है। कृपया अपनी सुविधा का समय बुक करें।',
    },
  },
  AUDITOR_APPROVED: {
    EN: { happened: 'Your verification is complete. Thank you.', next: 'You need not do anything more.' },
    HI: { happened: 'आपका वेरिफ़िकेशन पूरा हो गया है। धन्यवाद।', next: 'अब आपको और कुछ नहीं करना है।' },
  },
  AUDITOR_REJECTED: {
    EN: { happened: 'We could not complete your verification.', next: ASK_WHY.EN },
    HI: { happened: 'हम आपका वेरिफ़िकेशन पूरा नहीं कर पाए।', next: ASK_WHY.HI },
  },
  INSUFFICIENT_BALANCE: {
    EN: { happened: 'We could not start your verification. It was not your fault.', next: NEW_LINK.EN },
    HI: { happened: 'हम आपका वेरिफ़िकेशन शुरू नहीं कर पाए। इसमें आपकी कोई गलती नहीं है।', next: NEW_LINK.HI },
  },
  REJECTED_BY_MERCHANT: {
    EN: { happened: 'We could not go on with your verification.', next: ASK_WHY.EN },
    HI: { happened: 'हम आपका वेरिफ़िकेशन आगे नहीं बढ़ा पाए।', next: ASK_WHY.HI },
  },
  TECHNICAL_ERROR: {
    EN: {
      happened: 'A technical problem stopped your verification. It was not your fault.',
      next: NEW_LINK.EN,
    },
    HI: {
      happened: 'एक तकनीकी समस्या के कारण आपका वेरिफ़िकेशन रुक गया। इसमें आपकी कोई गलती नहीं है।',
      next: NEW_LINK.HI,
    },
  },
  FAILED_BY_MERCHANT: {
    EN: {
      happened: 'Your verification was closed before it was complete.',
      next: 'If you still need it, please contact us.',
    },
    HI: {
      happened: 'आपका वेरिफ़िकेशन पूरा होने से पहले बंद कर दिया गया।',
      next: 'अगर आपको अब भी इसकी ज़रूरत है, तो कृपया हमसे संपर्क करें।',
    },
  },
  REPLACED: {
    EN: {
      happened: 'Your verification goes on with a new link.',
      next: 'Please use the newest link that we sent you.',
    },
    HI: {
      happened: 'आपका वेरिफ़िकेशन अब एक नए लिंक से जारी रहेगा।',
      next: 'कृपया हमारे भेजे हुए सबसे नए लिंक का इस्तेमाल करें।',
    },
  },
  VKYC_EXPIRED: {
    EN: { happened: 'Your link has expired.', next: 'Please ask us for a new link.' },
    HI: { happened: 'आपके लिंक की समय सीमा समाप्त हो गई है।', next: 'कृपया हमसे नया लिंक माँगें।' },
  },
  UNRECOGNIZED: {
    EN: {
      happened: 'There is news about your verification.',
      next: 'Please open your link to see what comes next, or contact us.',
    },
    HI: {
      happened: 'आपके वेरिफ़िकेशन के बारे में नई जानकारी आई है।',
      next: 'आगे क्या करना है, यह देखने के लिए कृपया अपना लिंक खोलें, या हमसे संपर्क करें।',
    },
  },
};

/**
 * Texts of a disputed session, whatever its status: no decision is told to the customer until a person has decided
 * the dispute.
 */
export const DISPUTED_CUSTOMER_TEXTS: CustomerTextsByLocale = {
  EN: { happened: 'Your verification is being checked once more.', next: WAIT.EN },
  HI: { happened: 'आपके वेरिफ़िकेशन की एक बार फिर जाँच हो रही है।', next: WAIT.HI },
};

const TEXTS_BY_CIRCUMSTANCE: Readonly<Record<Circumstance, CustomerTextsByLocale>> = {
  DISPUTED: DISPUTED_CUSTOMER_TEXTS,
  REPLACED: CUSTOMER_TEXTS_BY_SUB_STATUS.REPLACED,
  LINK_ENDED: CUSTOMER_TEXTS_BY_SUB_STATUS.VKYC_EXPIRED,
};

const findTexts = (subStatus: SubStatus, circumstance: Circumstance | null): CustomerTextsByLocale =>
  circumstance ? TEXTS_BY_CIRCUMSTANCE[circumstance] : CUSTOMER_TEXTS_BY_SUB_STATUS[subStatus];

/** Returns the message for the customer: what happened, then what to do next. */
export function toCustomerMessage(
  subStatus: SubStatus,
  locale: Locale,
  circumstance: Circumstance | null = null,
): string {
  const { happened, next } = findTexts(subStatus, circumstance)[locale];
  return `${happened} ${next}`;
}

/** Returns a row of the status table as customers read it: the texts for customers in place of those for staff. */
export function toCustomerStatusInfo<Info extends StatusInfo>(
  info: Info,
  circumstance: Circumstance | null = null,
): Info {
  const { happened, next } = findTexts(info.subStatus, circumstance).EN;
  return { ...info, explanation: happened, recommendedAction: next };
}
