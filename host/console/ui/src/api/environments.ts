import { useQuery } from '@tanstack/react-query';
import { api, call, idempotencyKey } from './client';
import { putEnvironment } from './live';
import { keys, queryClient } from './queries';
import type { EnvironmentInfo } from './schema';

/** The places where apps run. */
export function useEnvironments() {
  return useQuery({
    queryKey: keys.environments,
    queryFn: () => call(() => api.GET('/api/environments')).then((list) => list.items),
    refetchInterval: 10_000,
  });
}

/** True of the host's own process, which is no worker: it can be reached nowhere but there. */
export const isThisProcess = (one: Pick<EnvironmentInfo, 'url' | 'proxy_url'>) => !one.url && !one.proxy_url;

/** True where the host runs all apps itself. */
export const isAlone = (all: readonly EnvironmentInfo[]) => all.length === 1 && all.every(isThisProcess);

export type EnvironmentAction = 'cordon' | 'uncordon' | 'drain';

/** Throws a ProblemError where it is refused. */
export async function actOn(name: string, action: EnvironmentAction): Promise<EnvironmentInfo> {
  const asked = { params: { path: { name } }, headers: idempotencyKey() };
  const now = await call(() => {
    if (action === 'cordon') return api.POST('/api/environments/{name}/cordon', asked);
    if (action === 'uncordon') return api.POST('/api/environments/{name}/uncordon', asked);
    return api.POST('/api/environments/{name}/drain', asked);
  });
  putEnvironment(now);
  return now;
}

/** Throws a ProblemError where it is refused. */
export async function removeEnvironment(name: string): Promise<void> {
  await call(() => api.DELETE('/api/environments/{name}', { params: { path: { name } } }));
  queryClient.setQueryData<EnvironmentInfo[]>(keys.environments, (all) => all?.filter((one) => one.name !== name));
}
