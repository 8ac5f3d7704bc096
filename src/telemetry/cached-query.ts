/**
 * Returns a cached version of `ask`: concurrent callers share one call, and a result is reused for `forMs`. A
 * caller waits at most `patienceMs`; then the caller's promise rejects, but the call goes on.
 */
export function createCachedQuery<T>(
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
    timer = setTimeout(() => reject(new Error(`no answer within ${patienceMs} ms`)), patienceMs);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
