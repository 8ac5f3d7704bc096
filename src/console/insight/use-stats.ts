import { useCallback, useEffect, useRef, useState } from 'react';
import type { GatewayError } from '../gateway/gateway.ts';
import { useViewerAndGateway } from '../gateway/signed-in.tsx';
import { VkycStats, type VkycStatsQuery } from '../operations.ts';
import { STATS_PERIODS, type StatsPeriodName } from './windows.ts';

export type Stats = VkycStatsQuery['sessionStats'];

interface Read {
  readonly window: StatsPeriodName;
  readonly stats: Stats;
  readonly at: number;
}

const REFRESH_INTERVAL_MS = 30_000;

/**
 * Hook that queries the statistics of a period that ends now, and repeats the query every 30 seconds. `read`
 * (the newest answer) is null until the first answer.
 */
export function useStats(window: StatsPeriodName) {
  const { gateway } = useViewerAndGateway();
  const [read, setRead] = useState<Read | null>(null);
  const [failure, setFailure] = useState<GatewayError | null>(null);
  const [loading, setLoading] = useState(false);
  const lastRequest = useRef(0);

  const refresh = useCallback(async () => {
    const request = ++lastRequest.current;
    const { lengthMs, intervals } = STATS_PERIODS[window];
    const from = lengthMs === null ? null : new Date(Date.now() - lengthMs).toISOString();
    setLoading(true);
    try {
      const { sessionStats } = await gateway.query(VkycStats, { from, intervals });
      if (request !== lastRequest.current) return;
      setRead({ window, stats: sessionStats, at: Date.now() });
      setFailure(null);
    } catch (why) {
      if (request === lastRequest.current) setFailure(why as GatewayError);
    } finally {
      if (request === lastRequest.current) setLoading(false);
    }
  }, [gateway, window]);

  useEffect(() => {
    void refresh();
    const timer = setInterval(() => {
      // Skips the query while the tab is hidden, to save the gateway the work.
      if (!document.hidden) void refresh();
    }, REFRESH_INTERVAL_MS);
    return () => {
      clearInterval(timer);
      lastRequest.current++;
    };
  }, [refresh]);

  return { read: read?.window === window ? read : null, failure, loading, refresh };
}
