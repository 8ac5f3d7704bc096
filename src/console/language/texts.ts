import { english } from './english/index.ts';
import type { Language } from './language.ts';

/** Every text of the console, in one language. A language that leaves one out does not compile. */
export type Texts = typeof english;

const STORAGE_KEY = 'vkyc.language';

/**
 * Texts in the language of the user. Modules may read them while they are imported, because `main.tsx` imports the pages
 * after it has awaited `loadTexts`.
 */
export let texts: Texts = english;

/** Returns the language that the user chose; until then, the first of the browser's languages that the console knows. */
export function getUserLanguage(): Language {
  const kept = localStorage.getItem(STORAGE_KEY);
  if (kept === 'en' || kept === 'hi') return kept;
  const known = navigator.languages
    .map((each) => each.slice(0, 2))
    .find((each) => Object.hasOwn(LOADERS, each));
  return (known as Language | undefined) ?? 'en';
}

/** Loads the texts of the user's language. Languages other than English are fetched only by those who use them. */
export async function loadTexts(): Promise<void> {
  texts = await LOADERS[getUserLanguage()]();
  document.documentElement.lang = texts.language;
  document.title = texts.frame.consoleName;
  // React Aria, which the components are built on, has no Hindi. It reads its language and its texts here.
  const { language, library } = texts;
  Object.assign(window, { [Symbol.for('react-aria.i18n.locale')]: language });
  if (library) Object.assign(window, { [Symbol.for('react-aria.i18n.strings')]: library });
}

/** Stores the language in the browser, and loads the page again in it. */
export function reloadInLanguage(language: Language): void {
  localStorage.setItem(STORAGE_KEY, language);
  location.reload();
}

const LOADERS: Readonly<Record<Language, () => Promise<Texts>>> = {
  en: async () => english,
  hi: async () => (await import('./hindi/index.ts')).hindi,
};
