import { UserText } from '../look/user-text.tsx';
import { texts } from './texts.ts';

/**
 * Sentence of the gateway, in the language of the user. A sentence without a translation is shown in English, with
 * `lang="en"`, so that screen readers pronounce it as English.
 */
export function TranslatedGatewayText({ children: sentence }: { children: string }) {
  if (texts.language === 'en') return sentence;
  return texts.gateway.translate(sentence) ?? <UserText lang="en">{sentence}</UserText>;
}

interface Props {
  /** Code and message of an error or a refusal. The code is null if the message is one of the console itself. */
  readonly of: { readonly code: string | null; readonly message: string };
}

/**
 * Message of an error or a refusal. A message without a translation is shown in English, below a sentence in the user's
 * language that says what its code means.
 */
export function TranslatedGatewayMessage({ of: { code, message } }: Props) {
  if (code === null) return message;
  const isTranslated = texts.gateway.translate(message) !== null;
  const meaning = isTranslated ? null : texts.gateway.explain(code);
  return (
    <>
      {meaning && (
        <>
          {meaning}
          <br />
        </>
      )}
      <TranslatedGatewayText>{message}</TranslatedGatewayText>
    </>
  );
}
