import type { Texts } from '../texts.ts';

export const floor: Texts['floor'] = {
  title: 'सत्र',
  openSessions: 'खुले सत्र',
  waitingOn: 'किसकी प्रतीक्षा है',
  onlyThose: 'केवल ऐसे सत्र',
  longestWait: (duration) => `सबसे लंबी प्रतीक्षा ${duration}`,
  none: 'कोई नहीं',

  views: 'दृश्य',
  allSessions: 'सभी सत्र',
  callsToReview: 'समीक्षा के लिए कॉल',
  approvalsToAudit: 'ऑडिट के लिए मंज़ूरियाँ',
  waitingOnUs: 'हमारी प्रतीक्षा',

  order: 'क्रम',
  orders: {
    newest: 'नए पहले',
    oldest: 'पुराने पहले',
    moved: 'हाल में बदले पहले',
    waiting: 'देर से न बदले पहले',
  },
  phase: 'अवस्था',
  allPhases: 'सभी अवस्थाएँ',
  start: 'सत्र शुरू करें',
  filters: 'फ़िल्टर',
  removeFilter: (filter) => `फ़िल्टर हटाएँ: ${filter}`,
  clearFilters: 'फ़िल्टर हटाएँ',

  columns: ['सत्यापन ID', 'चरण', 'किसकी प्रतीक्षा', 'चरण में समय', 'मीटिंग', 'शुरू हुआ'],
  noMatches: 'इन फ़िल्टर से कोई सत्र नहीं मिलता। नए मिलते सत्र यहाँ दिखेंगे।',
  noSessions: 'अभी कोई सत्र नहीं।',
  count: (_count, text) => `${text} सत्र`,
  moreThan: (sessions) => `${sessions} से ज़्यादा`,
  loaded: (count) => `, ${count} लोड हुए`,
};
