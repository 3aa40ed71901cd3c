import { useQuery } from '@tanstack/react-query';
import { api, call } from './client';
import { keys } from './queries';

/** What this host is, and whether what it stands on is as it should be. */
export function useAbout() {
  return useQuery({ queryKey: keys.about, queryFn: () => call(() => api.GET('/api/about')), refetchInterval: 15_000 });
}
