import type { Gateway } from './gateway.ts';

/** Sets the faults that the sandbox injects. Null clears all faults. */
export const setFaults = (gateway: Gateway, faults: object | null) =>
  fetch(new URL('/_sandbox/faults', gateway.sandboxUrl), {
    method: faults ? 'PUT' : 'DELETE',
    ...(faults ? { headers: { 'content-type': 'application/json' }, body: JSON.stringify(faults) } : {}),
  });
