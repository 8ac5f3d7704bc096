import { useEffect, useState } from 'react';
import { Button } from './button.tsx';

const COPY_RESULT_SHOWN_MS = 2_000;

/** Puts a text into the clipboard. `what`: its name, as in "Copy link". */
export function CopyButton({ text, what }: { text: string; what: string }) {
  const [said, setSaid] = useState('');
  useEffect(() => {
    if (!said) return;
    const forgetting = setTimeout(() => setSaid(''), COPY_RESULT_SHOWN_MS);
    return () => clearTimeout(forgetting);
  }, [said]);
  const copy = () =>
    navigator.clipboard.writeText(text).then(
      () => setSaid('Copied'),
      () => setSaid('Select it and copy: the browser did not let us'),
    );
  return (
    <>
      <Button aria-label={`Copy ${what}`} onPress={copy}>
        {said || 'Copy'}
      </Button>
      <span role="status" className="hidden">
        {said}
      </span>
    </>
  );
}
