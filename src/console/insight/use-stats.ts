import { useCallback, useEffect, useRef, useState } from 'react';
import type { GatewayError } from '../gateway/gateway.ts';
import { useSignedIn } from '../gateway/signed-in.tsx';
import { VkycStats, type VkycStatsQuery } from '../operations.ts';
import { WINDOWS, type WindowName } from './windows.ts';

export type Stats = VkycStatsQuery['sessionStats'];

interface Read {
  readonly window: WindowName;
  readonly stats: Stats;
  readonly at: number;
}

const REFRESH_INTERVAL_MS = 30_000;

/** The figures of a window up to now, read anew every 30 seconds; null until there are any. */
export function useStats(window: WindowName) {
  const { gateway } = useSignedIn();
  const [read, setRead] = useState<Read | null>(null);
  const [failure, setFailure] = useState<GatewayError | null>(null);
  const [reading, setReading] = useState(false);
  const newest = useRef(0);

  const refresh = useCallback(async () => {
    const mine = ++newest.current;
    const { lengthMs, intervals } = WINDOWS[window];
    const from = lengthMs === null ? null : new Date(Date.now() - lengthMs).toISOString();
    setReading(true);
    try {
      const { sessionStats } = await gateway.query(VkycStats, { from, intervals });
      if (mine !== newest.current) return;
      setRead({ window, stats: sessionStats, at: Date.now() });
      setFailure(null);
    } catch (why) {
      if (mine === newest.current) setFailure(why as GatewayError);
    } finally {
      if (mine === newest.current) setReading(false);
    }
  }, [gateway, window]);

  useEffect(() => {
    void refresh();
    const again = setInterval(() => {
      // Nobody looks.
      if (!document.hidden) void refresh();
    }, REFRESH_INTERVAL_MS);
    return () => {
      clearInterval(again);
      newest.current++;
    };
  }, [refresh]);

  return { read: read?.window === window ? read : null, failure, reading, refresh };
}
