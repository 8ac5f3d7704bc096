import { UserText } from '../look/user-text.tsx';
import { texts } from './texts.ts';

/**
 * Sentence of the gateway, in the language of the user. A sentence that the language has not is shown in English, and
 * marked as English, so that screen readers pronounce it so.
 */
export function GatewayText({ children: sentence }: { children: string }) {
  if (texts.language === 'en') return sentence;
  return texts.gateway.translate(sentence) ?? <UserText lang="en">{sentence}</UserText>;
}

interface Props {
  /** Code and message of an error or a refusal. The code is null if the message is one of the console itself. */
  readonly of: { readonly code: string | null; readonly message: string };
}

/**
 * Message of an error or a refusal. A message that the language has not is shown in English below a sentence that says
 * what its code means.
 */
export function GatewayMessage({ of: { code, message } }: Props) {
  const meaning = code && !texts.gateway.translate(message) && texts.gateway.explain(code);
  if (code === null) return message;
  return (
    <>
      {meaning && (
        <>
          {meaning}
          <br />
        </>
      )}
      <GatewayText>{message}</GatewayText>
    </>
  );
}
