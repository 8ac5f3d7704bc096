import type { Texts } from '../texts.ts';

export const exporting: Texts['exporting'] = {
  start: 'CSV में निर्यात करें',
  cancel: 'निर्यात रद्द करें',
  soFar: (count: string) => `अब तक निर्यात हुए सत्र: ${count}`,
  done: (count: string) => `निर्यात हुए सत्र: ${count}`,
  incomplete: 'फ़ाइल पूरी होने से पहले कनेक्शन टूट गया, इसलिए कोई फ़ाइल सहेजी नहीं गई। अपना कनेक्शन जाँचें और फिर निर्यात करें।',
};
