import { useQuery } from '@tanstack/react-query';
import { api, call } from './client';
import { keys } from './queries';

/** The places where apps run. */
export function useEnvironments() {
  return useQuery({
    queryKey: keys.environments,
    queryFn: () => call(() => api.GET('/api/environments')).then((list) => list.items),
    refetchInterval: 10_000,
  });
}
