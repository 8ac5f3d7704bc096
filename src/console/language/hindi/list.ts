import type { Texts } from '../texts.ts';

export const list: Texts['list'] = {
  search: 'सत्यापन या संदर्भ आईडी का हिस्सा',
  searchPlaceholder: 'आईडी का हिस्सा  ( / )',
  searchTooShort: (letters) => `कम से कम ${letters} अक्षर लिखें।`,
  orders: {
    since: { label: 'चरण में सबसे पुराने पहले', note: 'केवल वे सत्र जो समाप्त नहीं हुए हैं।' },
    meeting: { label: 'अगली मीटिंग पहले', note: 'केवल बुक की गई मीटिंग वाले सत्र।' },
    due: { label: 'अगली समय-सीमा पहले', note: 'केवल समय-सीमा वाले सत्र।' },
  },
  marks: {
    overdue: 'समय-सीमा पार',
    meetingToday: 'आज मीटिंग',
    linkExpiring: 'लिंक एक दिन में समाप्त',
  },
  overdueFor: (duration) => `${duration} से समय-सीमा पार`,
  customer: 'ग्राहक',
  filters: (active) => (active === 0 ? 'फ़िल्टर' : `फ़िल्टर (${active} सक्रिय)`),
  saveView: 'व्यू सहेजें',
  saveViewTitle: 'इन फ़िल्टर को व्यू के रूप में सहेजें',
  saveViewHint: 'इसी ब्राउज़र में सहेजा जाता है। इसी नाम का पुराना व्यू बदल जाता है। ग्राहक का नाम न लिखें।',
  viewName: 'नाम',
  save: 'सहेजें',
  cancel: 'रहने दें',
  deleteView: (name) => `व्यू ${name} हटाएँ`,
};
