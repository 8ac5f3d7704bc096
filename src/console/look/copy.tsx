import { useEffect, useState } from 'react';
import { texts } from '../language/texts.ts';
import { Button } from './button.tsx';

const COPY_RESULT_SHOWN_MS = 2_000;

/**
 * Button that copies `text` to the clipboard. `what` names the text for screen readers, as in "Copy link".
 */
export function CopyButton({ text, what }: { text: string; what: string }) {
  const [result, setResult] = useState('');
  useEffect(() => {
    if (!result) return;
    const timer = setTimeout(() => setResult(''), COPY_RESULT_SHOWN_MS);
    return () => clearTimeout(timer);
  }, [result]);
  const copy = () =>
    navigator.clipboard.writeText(text).then(
      () => setResult(texts.frame.copied),
      () => setResult(texts.frame.copyFailed),
    );
  return (
    <>
      <Button aria-label={texts.frame.copyOf(what)} onPress={copy}>
        {result || texts.frame.copy}
      </Button>
      <span role="status" className="hidden">
        {result}
      </span>
    </>
  );
}
