// What is kept about one app: who did what to it, and how its database does.
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { api, call } from './client';
import { usePolling } from './live';
import { keys } from './queries';

const PAGE = 50;

/** Who did what to an app, newest first, a page at a time. */
export function useAppEvents(id: string) {
  return useInfiniteQuery({
    queryKey: keys.appPart(id, 'events'),
    queryFn: ({ pageParam }) =>
      call(() => api.GET('/api/apps/{id}/events', { params: { path: { id }, query: { limit: PAGE, cursor: pageParam ?? undefined } } })),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    refetchInterval: usePolling(),
  });
}

export function useDatabaseReport(id: string, enabled: boolean) {
  return useQuery({
    queryKey: keys.appPart(id, 'database'),
    queryFn: () => call(() => api.GET('/api/apps/{id}/database', { params: { path: { id } } })),
    refetchInterval: 5_000,
    enabled,
  });
}
