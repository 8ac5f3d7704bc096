import { Button } from '../look/button.tsx';
import type { Language } from './language.ts';
import { reloadInLanguage, texts } from './texts.ts';

const OTHER: Readonly<Record<Language, Language>> = { en: 'hi', hi: 'en' };

/** Button with the name of the other language, in that language. It loads the page again in it. */
export function LanguageSwitch() {
  const other = OTHER[texts.language];
  return (
    <Button look="quiet" onPress={() => reloadInLanguage(other)}>
      <span lang={other}>{texts.frame.otherLanguage}</span>
    </Button>
  );
}
