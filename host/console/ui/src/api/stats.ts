import { useQuery } from '@tanstack/react-query';
import { api, call } from './client';
import { keys, queryClient } from './queries';
import { type Sample, withSample } from './samples';
import type { StatsHistory } from './schema';

export type Range = StatsHistory['range'];

/** How often an app's page reads its figures. */
const EVERY_MS = 2_000;

/** An app's counters, read anew every two seconds: the readings of the last minute, the newest last. */
export function useStats(id: string) {
  const queryKey = keys.appPart(id, 'stats');
  return useQuery({
    queryKey,
    queryFn: async () => {
      const stats = await call(() => api.GET('/api/apps/{id}/stats', { params: { path: { id } } }));
      return withSample(queryClient.getQueryData<Sample[]>(queryKey) ?? [], { at: Date.now(), stats });
    },
    refetchInterval: EVERY_MS,
    structuralSharing: false,
  });
}

const REFRESH_MS: Record<Range, number> = { hour: 10_000, day: 60_000, week: 300_000 };

/** What happened within the last hour, day or week. */
export function useHistory(id: string, range: Range) {
  return useQuery({
    queryKey: keys.appPart(id, 'history', range),
    queryFn: () => call(() => api.GET('/api/apps/{id}/stats/history', { params: { path: { id }, query: { range } } })),
    refetchInterval: REFRESH_MS[range],
    placeholderData: (before) => before,
  });
}
