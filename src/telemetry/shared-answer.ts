/**
 * Asks once for all who want to know at the same time, or within `forMs` of a good answer: however many they are, what
 * is asked hears of one. Who asks waits for `patienceMs` at most, and then gets an error.
 */
export function sharedAnswer<T>(
  { forMs, patienceMs }: { forMs: number; patienceMs: number },
  ask: () => Promise<T>,
): () => Promise<T> {
  let known: { readonly answer: T; readonly at: number } | null = null;
  let asking: Promise<T> | null = null;
  return () => {
    if (known && performance.now() - known.at < forMs) return Promise.resolve(known.answer);
    asking ??= ask()
      .then((answer) => {
        known = { answer, at: performance.now() };
        return answer;
      })
      .finally(() => {
        asking = null;
      });
    return within(patienceMs, asking);
  };
}

async function within<T>(patienceMs: number, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`There was no answer within ${patienceMs} ms`)), patienceMs);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
