import { useInfiniteQuery } from '@tanstack/react-query';
import { api, call } from './client';
import { keys } from './queries';

export interface ActivityFilter {
  app?: string;
  actor?: string;
  action?: string;
  result?: string;
  search?: string;
}

const PAGE = 50;
const READ_AGAIN_MS = 10_000;

/** Who did what on the whole host, newest first, a page at a time. */
export function useActivity(filter: ActivityFilter) {
  return useInfiniteQuery({
    queryKey: keys.activity(filter),
    queryFn: ({ pageParam }) => call(() => api.GET('/api/activity', { params: { query: { ...filter, limit: PAGE, cursor: pageParam ?? undefined } } })),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    // What is shown stays while another filter is read.
    placeholderData: (before) => before,
    // No event tells of new entries. Whoever reads further back is not interrupted.
    refetchInterval: (query) => ((query.state.data?.pages.length ?? 0) === 1 ? READ_AGAIN_MS : false),
  });
}
